/** `npm test` of a job: its own `main.ts` over the recorded samples. Needs no broker. */
export const MAIN_TEST = `import assert from "node:assert/strict";
import { test } from "node:test";
import { replay } from "millrace/replay";

test("main.ts writes what the notebook computed from the recorded records", async () => {
  const report = await replay(import.meta.dirname);
  assert.ok(report.ok, report.text);
});
`;
