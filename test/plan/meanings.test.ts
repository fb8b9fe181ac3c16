import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { FUNCTION_MEANINGS } from "../../lib/plan/analysis/function-meanings.ts";
import { METHOD_MEANINGS } from "../../lib/plan/analysis/method-meanings.ts";
import { memberNames } from "../support/member-names.ts";

const expr = polars.col("x");
const namespaces = ["str", "dt", "list", "struct"] as const;
const methods = [
  ...memberNames(expr),
  ...namespaces.flatMap((space) => Object.keys(expr[space]).map((method) => `${space}.${method}`)),
];

test("every method nodejs-polars has is in the table, and nothing else is", () => {
  assert.deepEqual(Object.keys(METHOD_MEANINGS).sort(), methods.sort());
});

test("every function nodejs-polars has is in the table", () => {
  assert.deepEqual(
    Object.keys(polars).filter((name) => !(name in FUNCTION_MEANINGS)),
    [],
  );
});
