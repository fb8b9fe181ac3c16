import pl from "nodejs-polars";
import { columnsOf, type ExprTree } from "../plan/tree.ts";
import { dtypeOf } from "../schema.ts";
import { columns, renamed } from "./exprs.ts";
import type { WindowPlan } from "./window-plan.ts";

const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
const END = "§window_end";

/**
 * The expressions of a window operator, built once: an expression object of nodejs-polars is costly to make.
 * While the operator works, its own columns have names that differ from those of the input's columns, which aggregates may use.
 */
export function windowExprs(plan: WindowPlan) {
  const { node, keyExprs, partials, collected } = plan;
  const { every, period, offset, grace } = node;
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const identity = [...keys, "§window_start"];
  const stored = [...plan.storedKeys, "window_start", "window_end"];
  const overlapping = Math.ceil(period / every);
  const time = pl.col("§time");
  // the remainder of a time before the epoch is made positive, so that its window starts before it too
  const into = time.minus(int(offset)).modulo(int(every)).plus(int(every)).modulo(int(every));
  const inside = period === every ? time.isNotNull() : pl.col("§end").gt(time);
  const used = [...new Set([...plan.inputs, "_key", "_partition", "_watermark"])];
  const kept = [pl.col("_rows"), pl.col("_key"), pl.col("_partition")];
  const labels = partials.map(({ label }) => label);
  const names = partials.map(({ name }) => name);
  const collectedColumns = collected?.columns ?? [];
  const held = collected?.stored ?? [];
  const first = [pl.col(END).first(), pl.col("_key").first(), pl.col("_partition").first()];
  return {
    overlapping,
    identity,
    // a batch's rows, once per window
    prepare: [
      ...keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      pl.col(node.indexColumn).cast(pl.Datetime("ms")).cast(pl.Int64).alias("§time"),
      ...columns(used),
    ],
    start: time.minus(into).alias("§start"),
    starts: pl
      .concatList(
        Array.from({ length: overlapping }, (_, i) => pl.col("§start").minus(int((overlapping - 1 - i) * every))),
      )
      .alias("§start"),
    explode: pl.col("§start"),
    end: pl.col("§start").plus(int(period)).alias("§end"),
    window: [
      pl.col("§start").cast(pl.Datetime("ms")).alias("§window_start"),
      pl.col("§end").cast(pl.Datetime("ms")).alias(END),
      pl.col("§end").plus(int(grace)).ltEq(pl.col("_watermark")).fillNull(pl.lit(false)).alias("§late"),
      inside.fillNull(pl.lit(false)).alias("§inside"),
    ],
    count: [
      pl.col("§late").and(pl.col("§inside")).sum().cast(pl.Float64).alias("late"),
      time.nullCount().cast(pl.Float64).alias("without"),
    ],
    taken: pl.col("§late").not().and(pl.col("§inside")),
    // partial aggregates
    by: columns(identity),
    parts: [...first, ...partials.map(({ partial }) => partial), pl.len().cast(pl.Int64).alias("_rows")],
    end64: pl.col(END).cast(pl.Int64),
    merge: [
      ...first,
      ...partials.map(({ name, label, merge }) => merge.cast(dtypeOf(plan.store.schema[label]!)).alias(name)),
      pl.col("_rows").sum(),
    ],
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
    rows: columns([...identity, END, ...collectedColumns]),
    index: pl
      .col(END)
      .isNotNull()
      .cast(pl.Int64)
      .cumSum()
      .over(identity[0]!, ...identity.slice(1))
      .alias("§index"),
    row: pl.col("§before").fillNull(pl.lit(0)).plus(pl.col("§index")).cast(pl.Int64).alias("§row"),
    rowOrder: columns([...identity, END, "§row", ...collectedColumns]),
    toRowState: [
      ...renamed([...identity, END], stored),
      pl.col("§row").alias("_row"),
      ...renamed(collectedColumns, held),
    ],
    fromRowState: [
      ...renamed(stored, [...identity, END]),
      pl.col("_row").alias("§row"),
      ...renamed(held, collectedColumns),
    ],
    collected: collected?.aggregates ?? [],
    // results
    time: pl.col(END).cast(pl.Int64).minus(int(1)).cast(pl.Datetime("ms")).alias("_time"),
    sort: columns(["§window_start", ...keys]),
    outputs: [
      ...renamed([...identity, END], [...plan.keys, "window_start", "window_end"]),
      ...plan.outputs,
      ...columns(["_key", "_time", "_partition"]),
    ],
  };
}

export type WindowExprs = ReturnType<typeof windowExprs>;

/** The input's columns that these expressions read. */
export function inputsOf(trees: readonly ExprTree[]): string[] {
  return [...new Set(trees.flatMap(columnsOf))];
}
