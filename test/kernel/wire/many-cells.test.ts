// A session of many cells: the last is as fast as the first, and memory holds what cells declare, no more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { result, TestKernel } from "../test-kernel.ts";

/** `MILLRACE_LONG_TESTS=1`: the numbers of the issue. */
const LONG = process.env.MILLRACE_LONG_TESTS === "1";
const [FIRST, LAST] = LONG ? [100, 1000] : [20, 100];

/** Cells of every kind, each leaning on the one before; a hundred cells of a notebook, run again and again. */
const source = (n: number) =>
  [
    `const v${n} = v${n - 1} + 1; await 0; display(v${n})`,
    `const v${n} = v${n - 1} + 1; const shared = [v${n}, "text"] as const; shared`,
    `interface Row${n} { id: number }\nfunction next${n}(row: Row${n}) { return row.id + 1 }\nconst v${n} = next${n}({ id: v${n - 1} }); v${n}`,
    `class Holder { held = v${n - 1} + 1 }\nconst v${n} = new Holder().held; console.log(v${n})`,
  ][n % 4]!;

/** After a collection. */
const MEMORY = `{
  const v8 = require("node:v8");
  v8.setFlagsFromString("--expose-gc");
  const collect = require("node:vm").runInNewContext("gc");
  for (let times = 0; times < 3; times++) { collect(); await new Promise((r) => setTimeout(r, 20)) }
}
const { heapUsed, rss } = process.memoryUsage();
JSON.stringify({ heapUsed, rss })`;

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!;

test(`${LAST} cells in a row: each as fast as the first ones, memory flat`, { timeout: 900_000 }, async (t) => {
  await using kernel = await TestKernel.start();
  const memory = async (): Promise<{ heapUsed: number; rss: number }> =>
    JSON.parse(result((await kernel.execute(MEMORY)).published)!.slice(1, -1));
  await kernel.execute("const v0 = 0");
  await kernel.execute(MEMORY);
  const times: number[] = [];
  let before = await memory();
  for (let n = 1; n <= LAST; n++) {
    const begun = performance.now();
    const { reply } = await kernel.execute(source(n), {}, { cellId: `cell-${n % 100}` });
    times.push(performance.now() - begun);
    assert.equal(reply.content.status, "ok", JSON.stringify(reply.content));
    kernel.published.length = 0;
    if (n === FIRST) before = await memory();
  }
  assert.equal(result((await kernel.execute(`v${LAST}`)).published), String(LAST));
  const after = await memory();
  const heap = after.heapUsed - before.heapUsed;
  const [early, late] = [median(times.slice(1, 21)), median(times.slice(-20))];
  t.diagnostic(
    `cells 2 to 21 ${early.toFixed(1)} ms, the last 20 ${late.toFixed(1)} ms; heap +${(heap / 1e6).toFixed(1)} MB, resident +${((after.rss - before.rss) / 1e6).toFixed(0)} MB`,
  );
  // What a cell leaves: its text, script and source map, for errors and the debugger.
  assert.ok(heap < 25_000 * (LAST - FIRST), `${heap / (LAST - FIRST)} bytes of heap more with each cell`);
  assert.ok(after.rss - before.rss < 500e6, `${after.rss - before.rss} bytes more in the process`);
  assert.ok(late < 2.5 * early, `${late} ms at the end, ${early} ms in the beginning`);
});
