import assert from "node:assert/strict";
import { test } from "node:test";
import type { Columns } from "../../lib/frame/arguments.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { assertFramesEqual, run } from "./run-program.ts";

const events = topic("events", { key: "device", time: "t" });
const input = pl
  .DataFrame({
    device: ["a", "a", "b", "a", "b"],
    t: [0, 100, 200, 1000, 2500],
    slot: [1.5, 2.5, null, 4.5, 0.5],
    sequence: ["p", "p", "q", "p", "q"],
    _rows: [1, 1, 2, 1, 2],
    __state_0: [1, 2, 3, 4, 5],
    value_0: [5, 4, 3, 2, 1],
  })
  .withColumns(pl.col("t").cast(pl.Datetime("ms")));

test("columns may have the names that state has", async () => {
  const columns = [
    pl.col("slot").shift(3).over("device", "sequence").alias("before"),
    pl.col("__state_0").cumSum().over("device").alias("sum"),
    pl.col("value_0").rollingSum({ windowSize: 2, minPeriods: 1 }).over("device", "slot").alias("rolling"),
  ];
  const { rows } = await run(events.withColumns(...columns), input, { splits: [2, 1], reopen: true });
  assertFramesEqual(rows.select(...input.columns, "before", "sum", "rolling"), input.withColumns(...columns));
});

test("windows may be by columns that have the names of state, or by metadata under another name", async () => {
  const windows = (by: Columns) =>
    events
      .groupByDynamic({ indexColumn: "t", every: "1s", by })
      .agg(pl.col("value_0").sum().alias("sum"), pl.col("slot").median().alias("median"));
  const byNames = await run(windows(["device", "_rows", "value_0"]), input, { splits: [2, 1], reopen: true });
  assert.deepEqual(byNames.rows.select("device", "_rows", "value_0", "sum", "median").rows(), [
    ["a", 1, 4, 4, 2.5],
    ["a", 1, 5, 5, 1.5],
    ["b", 2, 3, 3, null],
    ["a", 1, 2, 2, 4.5],
  ]);
  const byKey = await run(windows(pl.col("_key").alias("_rows")), input, { splits: [2, 1], reopen: true });
  assert.deepEqual(byKey.rows.select("_rows", "sum", "median").rows(), [
    ["a", 9, 2],
    ["b", 3, null],
    ["a", 2, 4.5],
  ]);
});
