import assert from "node:assert/strict";
import { test } from "node:test";
import { variable } from "../../../kernel/front-end/describe-topic.ts";

test("a topic is read into a variable that a cell can declare", () => {
  const names = ["phone-data", "übung.größe", "2026", "class", "await", "topic", "in-out", "eval", "---"].map(variable);
  assert.deepEqual(names.slice(0, 3), ["phoneData", "übungGröße", "topic2026"]);
  for (const name of names) new Function("topic", `"use strict"; { const ${name} = 0; } return topic`);
  assert.ok(!names.includes("topic"), "the cell calls topic(…)");
});
