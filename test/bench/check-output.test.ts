import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { checkOutput } from "../../bench/side-by-side/check-output.ts";
import { WORKLOADS } from "../../bench/side-by-side/workloads.ts";

const messages = pl
  .DataFrame({
    device: ["a", "b", "a", "b", "a"],
    timestamp: [1000, 1100, 1900, 2000, 2100],
    gForceX: [1.5, -0.5, 0.5, 2, -1],
    gForceY: [-1, 0.5, 0, 0.25, -1],
    gForceZ: [0.5, 0.5, 1, 0, -1],
  })
  .withColumns(pl.col("timestamp").cast(pl.Int64), pl.lit(0).cast(pl.Int32).alias("partition"));

const w2 = WORKLOADS.w2;
const expected = w2.expected(messages);
const written = (frame: pl.DataFrame) => frame.withColumns(pl.lit(0).cast(pl.Int32).alias("partition"));

test("the oracle's rows are as one computes them by hand", () => {
  assert.deepEqual(expected.getColumn("delta").toArray(), [null, null, -1.5, 0.75, 1.5]);
  assert.deepEqual(WORKLOADS.w1.expected(messages).getColumn("gForceTotal").toArray(), [3, 2.25, 3]);
  const windows = WORKLOADS.w3.expected(messages).sort(["device"]);
  assert.deepEqual(windows.rows(), [
    ["a", 1000, 2000, 2, 2.25, 3],
    ["b", 1000, 2000, 1, 1.5, 1.5],
  ]);
});

test("rows of devices may be interleaved in any way", () => {
  checkOutput(w2, written(expected), expected);
  checkOutput(w2, written(expected.sort(["device"])), expected);
});

const wrong: [string, pl.DataFrame, RegExp][] = [
  ["a missing row", written(expected.slice(0, 4)), /4 rows were written/],
  ["a repeated row", written(pl.concat([expected, expected.slice(4, 1)])), /6 rows were written/],
  ["rows of a device out of order", written(pl.concat([expected.slice(1, 4), expected.slice(0, 1)])), /differs/],
  [
    "a value off by a millionth",
    written(expected.withColumns(pl.col("gForceTotal").multiplyBy(1.000001).alias("gForceTotal"))),
    /gForceTotal differs/,
  ],
  [
    "a null that should be a number",
    written(expected.drop("delta").withColumns(pl.Series("delta", [null, null, -1.5, 0.75, null], pl.Float64))),
    /delta differs/,
  ],
  [
    "a device in two partitions",
    expected.withColumns(pl.Series("partition", [0, 0, 1, 0, 0], pl.Int32)),
    /several partitions/,
  ],
];
for (const [what, rows, message] of wrong)
  test(`${what} is found`, () => assert.throws(() => checkOutput(w2, rows, expected), message));
