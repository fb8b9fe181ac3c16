import assert from "node:assert/strict";
import path from "node:path";
import { test } from "node:test";
import { jupyterFolder, python } from "./python.ts";

test("jupyter_kernel_test passes in full, nothing skipped", async () => {
  const { run } = await jupyterFolder();
  const { code, stderr } = await run(python(), path.join(import.meta.dirname, "kernel_test.py"), "-v");
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /skipped/, stderr);
});
