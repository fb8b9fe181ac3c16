import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";
import { aggregated, type OracleWindow, sorted } from "./window-oracle.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const AGGREGATES = [
  x.sum().alias("sum"),
  x.std().alias("std"),
  pl.col("s").first().alias("first"),
  pl.col("i").last().alias("last"),
  x.median().alias("median"),
  pl.col("i").alias("list"),
  pl.col("s").nUnique().alias("different"),
  pl.col("s").filter(x.eq(x.max())).first().alias("whereLargest"),
  pl.len().alias("n"),
];

/** The windows of each key's rows, in the order in which they came. */
function oracle(list: readonly Row[], every: number, period: number) {
  const perKey = Map.groupBy(list, ({ device }) => device);
  const windows: (OracleWindow & { index: number })[] = [];
  for (const [device, all] of perKey)
    for (let index = 0; index * every < all.length; index++) {
      const part = all.slice(index * every, index * every + period);
      const times = part.map(({ t }) => t);
      windows.push({ device, index, rows: part, start: Math.min(...times), end: Math.max(...times) + 1 });
    }
  return windows;
}

const expected = (windows: readonly (OracleWindow & { index: number })[]) =>
  aggregated(
    windows,
    AGGREGATES,
    windows.map(({ index }) => index),
  );
const sizes = fc.constantFrom([1, 1], [3, 3], [2, 5], [4, 2], [1, 7]);
const count = ([every, period]: readonly number[], emit: "close" | "update" = "close") =>
  phones.groupByCount({ by: "device", every: every!, period: period!, emit }).agg(...AGGREGATES);

test(`full windows equal those of each key's rows (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, sizes, fc.boolean(), async (list, batches, [every, period], reopen) => {
      const actual = await run(count([every!, period!]), frameOf(list), { splits: batches, reopen });
      const full = oracle(list, every!, period!).filter((window) => window.rows.length === period);
      assertFramesEqual(sorted(values(actual.rows)), expected(full), "full");
    }),
    { seed, numRuns: runs(8) },
  );
});

test(`with updates and with what is open, windows that are not full are there too (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(40), splits, sizes, async (list, batches, of) => {
      const all = expected(oracle(list, of[0]!, of[1]!));
      const open = await run(count(of), frameOf(list), { splits: batches, final: true });
      assertFramesEqual(sorted(values(open.rows)), all, "open");
      const updates = values((await run(count(of, "update"), frameOf(list), { splits: batches })).rows);
      const others = updates.columns.filter((name) => name !== "device" && name !== "window_index");
      const last = updates.groupBy(["device", "window_index"]).agg(...others.map((name) => polars.col(name).last()));
      assertFramesEqual(sorted(last).select(...all.columns), all, "last update");
    }),
    { seed, numRuns: runs(4) },
  );
});

test(`a window is judged like the row that fills it: windows of time over them are exact (seed ${seed})`, async () => {
  const program = phones
    .groupByCount({ by: "device", every: 2 })
    .agg(x.sum().alias("sum"))
    .groupByDynamic({ indexColumn: "_time", every: "2s", by: "device" })
    .agg(pl.len().alias("n"));
  await fc.assert(
    fc.asyncProperty(rows(60), splits, async (list, batches) => {
      const whole = await run(program, frameOf(list));
      const parts = await run(program, frameOf(list), { splits: batches });
      assertFramesEqual(values(parts.rows), values(whole.rows), "split");
      assert.equal(parts.task.counts().late, whole.task.counts().late);
    }),
    { seed, numRuns: runs(5) },
  );
});
