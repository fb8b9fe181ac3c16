import pl from "nodejs-polars";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { withColumnsNode } from "../plan/nodes/with-columns-node.ts";
import { colTree } from "../plan/tree.ts";
import { dtypeName } from "../schema.ts";
import { type CollectOptions, driver } from "./driver.ts";

export type ProfileOptions = Pick<CollectOptions, "from" | "until" | "signal">;

const TIME = "§time";

/**
 * What the columns of a bounded range hold, a row per column.
 * @returns column, dtype (Utf8), rows, nulls, distinct (Int64, null not counted), min, max (Utf8), mean (Float64), top (Utf8, the most frequent
 *   value), top_share (Float64, of rows; of a key column its skew), per_second (Float64, values a second of event time)
 */
export async function profile(node: PlanNode, options: ProfileOptions): Promise<pl.DataFrame> {
  const time = { kind: "call", fn: "alias", self: colTree("_time"), args: [TIME] } as const;
  const rows = await driver().collect(withColumnsNode({ input: node, exprs: [time] }), options);
  const seconds = spanOf(rows) / 1000;
  const columns = rows.columns.filter((name) => name !== TIME).map((name) => ofColumn(rows, name, seconds));
  const field = <T>(pick: (one: ColumnProfile) => T) => columns.map(pick);
  return pl.DataFrame([
    pl.Series(
      "column",
      field((one) => one.column),
      pl.Utf8,
    ),
    pl.Series(
      "dtype",
      field((one) => one.dtype),
      pl.Utf8,
    ),
    pl.Series(
      "rows",
      field(() => rows.height),
      pl.Int64,
    ),
    pl.Series(
      "nulls",
      field((one) => one.nulls),
      pl.Int64,
    ),
    pl.Series(
      "distinct",
      field((one) => one.distinct),
      pl.Int64,
    ),
    pl.Series(
      "min",
      field((one) => one.min),
      pl.Utf8,
    ),
    pl.Series(
      "max",
      field((one) => one.max),
      pl.Utf8,
    ),
    pl.Series(
      "mean",
      field((one) => one.mean),
      pl.Float64,
    ),
    pl.Series(
      "top",
      field((one) => one.top),
      pl.Utf8,
    ),
    pl.Series(
      "top_share",
      field((one) => one.topShare),
      pl.Float64,
    ),
    pl.Series(
      "per_second",
      field((one) => one.perSecond),
      pl.Float64,
    ),
  ]);
}

interface ColumnProfile {
  readonly column: string;
  readonly dtype: string;
  readonly nulls: number;
  readonly distinct: number | null;
  readonly min: string | null;
  readonly max: string | null;
  readonly mean: number | null;
  readonly top: string | null;
  readonly topShare: number | null;
  readonly perSecond: number | null;
}

function ofColumn(rows: pl.DataFrame, name: string, seconds: number): ColumnProfile {
  const dtype = dtypeName(rows.schema[name]!);
  const values = rows.select(pl.col(name).alias("value")).filter(pl.col("value").isNotNull());
  const count = values.height;
  const known = {
    column: name,
    dtype,
    nulls: rows.height - count,
    perSecond: seconds > 0 ? count / seconds : null,
  };
  const nothing = { min: null, max: null, mean: null, top: null, topShare: null };
  // lists and structs have no order and no distinct values here
  if (/List|Struct|Array|Object|Binary/.test(dtype)) return { ...known, ...nothing, distinct: null };
  if (count === 0) return { ...known, ...nothing, distinct: 0 };
  const counts = values.groupBy("value").agg(pl.len().alias("n")).sort("value");
  const top = counts.sort("n", true).head(1);
  const mean = /Int|Float|Decimal/.test(dtype) ? values.select(pl.col("value").cast(pl.Float64).mean()) : undefined;
  return {
    ...known,
    distinct: counts.height,
    min: text(counts.head(1).row(0)[0]),
    max: text(counts.tail(1).row(0)[0]),
    mean: mean === undefined ? null : Number(mean.row(0)[0]),
    top: text(top.row(0)[0]),
    topShare: Number(top.row(0)[1]) / rows.height,
  };
}

const text = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));

/** From the first to the last, ms. */
function spanOf(rows: pl.DataFrame): number {
  const ms = pl.col(TIME).cast(pl.Int64).cast(pl.Float64);
  return rows.height === 0 ? 0 : Number(rows.select(ms.max().minus(ms.min())).row(0)[0]);
}
