import pl from "nodejs-polars";

/** Rows placed by Polars itself: the way of windows that do not overlap, where every row has one window at most. */
export interface Tumbling {
  /** The number of a row's window, twice: `§newest` and `§oldest`, and whether it came too late: `§late`. */
  readonly place: readonly pl.Expr[];
  readonly count: readonly pl.Expr[];
  readonly taken: pl.Expr;
}

const int = (ms: number): pl.Expr => pl.lit(ms).cast(pl.Int64);
const NEVER = pl.lit(false).alias("§late");

/**
 * @param judged whether rows carry `_watermark`; without it none is late
 */
export function tumbling(
  { indexColumn, every, offset, grace }: { indexColumn: string; every: number; offset: number; grace: number },
  judged: boolean,
): Tumbling {
  const time = pl.col(indexColumn).cast(pl.Datetime("ms")).cast(pl.Int64);
  // exact: a double that is rounded to a whole number from below is at least 2 ** 52 of its units away from 0, which no time in ms is
  const window = time.minus(int(offset)).cast(pl.Float64).divideBy(pl.lit(every)).floor().cast(pl.Int64);
  const late = window
    .plus(int(1))
    .multiplyBy(int(every))
    .plus(int(offset + grace))
    .ltEq(pl.col("_watermark"))
    .fillNull(pl.lit(false));
  return {
    place: [window.alias("§newest"), window.alias("§oldest"), judged ? late.alias("§late") : NEVER],
    count: [
      pl.col("§late").and(pl.col("§newest").isNotNull()).sum().cast(pl.Float64).alias("late"),
      pl.col("§newest").nullCount().cast(pl.Float64).alias("without"),
    ],
    taken: pl.col("§late").not().and(pl.col("§newest").isNotNull()),
  };
}
