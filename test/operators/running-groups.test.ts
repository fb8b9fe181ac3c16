import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const i = pl.col("i");
const AGGREGATES = [
  x.sum().alias("sum"),
  x.mean().alias("mean"),
  x.std().alias("std"),
  i.var().alias("var"),
  x.min().alias("min"),
  i.max().alias("max"),
  x.count().alias("count"),
  pl.len().alias("n"),
  x.first().alias("first"),
  pl.col("s").last().alias("last"),
  pl.col("b").any().alias("any"),
  pl.col("b").sum().alias("true"),
  pl.col("j").cast(pl.Int8).sum().alias("small"),
  x.filter(x.gt(0)).sum().alias("positive"),
  x.max().minus(x.min()).alias("range"),
];
const KEYS = [pl.col("device"), i.modulo(2).alias("odd")];

test(`the last row per key equals Polars' groupBy, however the rows are split (seed ${seed})`, async () => {
  const program = phones.groupBy(KEYS).agg(...AGGREGATES);
  await fc.assert(
    fc.asyncProperty(rows(60), splits, fc.boolean(), async (records, sizes, reopen) => {
      const frame = frameOf(records);
      const expected = frame
        .groupBy(KEYS as never)
        .agg(...AGGREGATES)
        .sort({ by: ["device", "odd"] } as never);
      const actual = await run(program, frame, { splits: sizes, reopen });
      const names = actual.rows.columns.filter((name) => !name.startsWith("_") && name !== "device" && name !== "odd");
      const last = values(actual.rows)
        .groupBy(["device", "odd"])
        .agg(...names.map((name) => polars.col(name).last()))
        .sort({ by: ["device", "odd"] } as never);
      assertFramesEqual(last, expected, "last row per key");
    }),
    { seed, numRuns: runs(5) },
  );
});

test("a batch gives one row per key it touched, by the place of the key's last row, with that row's time", async () => {
  const input = pl
    .DataFrame({ device: ["b", "a", "b", "a", "c"], t: [5, 7, 9, 3, 1], x: [1, 2, 4, 8, 16] })
    .withColumns(pl.col("t").cast(pl.Datetime("ms")));
  const frame = phones.groupBy("device").agg(x.sum().alias("sum")).withColumns(pl.col("sum").plus(1).alias("more"));
  const { rows: given } = await run(frame, input, { splits: [3], reopen: true });
  assert.deepEqual(given.select("device", "sum", "more", "_key", polars.col("_time").cast(polars.Float64)).rows(), [
    ["a", 2, 3, "a", 7],
    ["b", 5, 6, "b", 9],
    ["a", 10, 11, "a", 3],
    ["c", 16, 17, "c", 1],
  ]);
});
