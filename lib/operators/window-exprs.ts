import pl from "nodejs-polars";
import { dtypeOf } from "../schema.ts";
import { columns, renamed } from "./exprs.ts";
import type { WindowPlan } from "./window-plan.ts";

const END = "§window_end";
/** Rows that windows release are never late for what comes after them. */
export const NEVER_LATE = pl.lit(null).cast(pl.Int64).alias("_watermark");

/**
 * The expressions of a window operator, built once: an expression object of nodejs-polars is costly to make.
 * While the operator works, its own columns have names that differ from those of the input's columns, which aggregates may use.
 */
export function windowExprs(plan: WindowPlan) {
  const { keyExprs, aggregates } = plan;
  const { partials, rows } = aggregates;
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const identity = [...keys, "§window_start"];
  const stored = [...plan.storedKeys, "window_start", "window_end"];
  const used = [...new Set([...aggregates.inputs, "_key", "_partition"])];
  const kept = columns(["_rows", "_key", "_partition"]);
  const labels = partials.map(({ label }) => label);
  const names = partials.map(({ name }) => name);
  const rowColumns = rows?.columns ?? [];
  const rowStored = rows?.stored ?? [];
  const own = columns(["_key", "_partition"]).map((column) => column.first());
  const first = [pl.col(END).first(), ...own];
  const cast = (merge: pl.Expr, { name, label }: { name: string; label: string }) =>
    merge.cast(dtypeOf(plan.store.schema[label]!)).alias(name);
  return {
    identity,
    keys: columns(keys),
    prepare: [...keyExprs.map((expr, i) => expr.alias(keys[i]!)), ...columns(used)],
    taken: pl.col("§oldest").ltEq(pl.col("§newest")),
    row: pl.col("§newest").cumCount().alias("§row"),
    // partial aggregates of panes: rows that go to the same windows
    byPane: columns([...keys, "§newest", "§oldest"]),
    byWindow: columns([...keys, "§window"]),
    parts: [...own, ...partials.map(({ partial }) => partial), pl.len().cast(pl.Int64).alias("_rows")],
    places: [pl.col("§row").first().alias("§first"), pl.col("§row").last().alias("§last")],
    mergePanes: [
      ...columns(["_key", "_partition"]).map((column) => column.sortBy(pl.col("§first")).first()),
      ...partials.map((partial) =>
        cast(partial.anyOrder === undefined || partial.anyOrder === "rows" ? partial.merge : partial.anyOrder, partial),
      ),
      pl.col("_rows").sum(),
    ],
    // runs: neighbouring rows of one key and window; a null begins a new one, which is never wrong. Sorted as they are, which Polars is told by sorting them:
    // grouping is then a walk
    run: columns([...keys, "§window"])
      .map((column) => column.neq(column.shift(1)).fillNull(pl.lit(true)))
      .reduce((changed, column) => changed.or(column))
      .cast(pl.UInt32)
      .cumSum()
      .sort()
      .alias("§run"),
    byRun: pl.col("§run"),
    ofRun: columns([...keys, "§window"]).map((column) => column.first()),
    mergeRuns: [...own, ...partials.map((partial) => cast(partial.merge, partial)), pl.col("_rows").sum()],
    by: columns(identity),
    end64: pl.col(END).cast(pl.Int64),
    merge: [...first, ...partials.map((partial) => cast(partial.merge, partial)), pl.col("_rows").sum()],
    order: columns([...identity, END, "_key", "_partition", ...names, "_rows"]),
    // to and from the state
    identityStored: renamed(identity, stored.slice(0, -1)),
    toState: [...renamed([...identity, END], stored), ...renamed(names, labels), ...kept],
    fromState: [
      ...renamed(stored, [...identity, END]),
      pl.col("_key"),
      pl.col("_partition"),
      ...renamed(labels, names),
      pl.col("_rows"),
    ],
    // rows kept for aggregates that need all of them
    before: [...columns(identity), pl.col("_rows").alias("§before")],
    rows: columns([...identity, END, ...rowColumns]),
    index: pl
      .col(END)
      .isNotNull()
      .cast(pl.Int64)
      .cumSum()
      .over(identity[0]!, ...identity.slice(1))
      .alias("§index"),
    rowNumber: pl.col("§before").fillNull(pl.lit(0)).plus(pl.col("§index")).cast(pl.Int64).alias("§row"),
    rowOrder: columns([...identity, END, "§row", ...rowColumns]),
    toRowState: [
      ...renamed([...identity, END], stored),
      pl.col("§row").alias("_row"),
      ...renamed(rowColumns, rowStored),
    ],
    fromRowState: [
      ...renamed(stored, [...identity, END]),
      pl.col("_row").alias("§row"),
      ...renamed(rowStored, rowColumns),
    ],
    collected: rows?.aggregates ?? [],
    // results
    time: pl.col(END).cast(pl.Int64).minus(pl.lit(1).cast(pl.Int64)).cast(pl.Datetime("ms")).alias("_time"),
    sort: columns([END, "§window_start", ...keys]),
    results: aggregates.results as pl.Expr[],
    outputs: [
      ...renamed([...identity, END], [...plan.keys, "window_start", "window_end"]),
      ...aggregates.outputs,
      ...columns(["_key", "_time", "_partition"]),
      NEVER_LATE,
    ],
  };
}

export type WindowExprs = ReturnType<typeof windowExprs>;
