import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";

/** The column of the windows that a late row missed. */
export const MISSED = "missed_windows";

/** The rows that missed windows, with their starts: `rows` and `starts` go together, a row's earlier windows first. */
export function withMissed(batch: pl.DataFrame, { rows, starts }: { rows: number[]; starts: number[] }): pl.DataFrame {
  if (rows.length === 0) return batch.head(0).withColumns(none());
  const missed = pl
    .DataFrame([pl.Series("§row", rows, pl.Float64), pl.Series(MISSED, starts, pl.Float64)])
    .lazy()
    .select(pl.col("§row").cast(pl.UInt32), pl.col(MISSED).cast(pl.Int64).cast(pl.Datetime("ms")))
    .groupBy("§row")
    .agg(pl.col(MISSED))
    .collectSync();
  return (
    batch
      .withColumns(pl.intRange(0, pl.len()).cast(pl.UInt32).alias("§row"))
      .join(missed, { on: "§row", how: "inner" }) as pl.DataFrame
  )
    .sort("§row")
    .drop("§row");
}

/** Made when it is needed: Polars makes its threads with its first query, and how many they are a job says after this file is loaded. */
const none = () => emptyFrame({ [MISSED]: "List(Datetime(ms))" }).getColumn(MISSED) as unknown as pl.Expr;
