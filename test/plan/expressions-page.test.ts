import assert from "node:assert/strict";
import { test } from "node:test";
import { expressionsPage, writtenPage } from "../../scripts/expressions.ts";

test("docs/expressions.md is what the tables of meanings say", () => {
  assert.equal(writtenPage(), expressionsPage(), "run: node scripts/expressions.ts");
});
