import pl from "nodejs-polars";

const WINDOW = pl.col("§newest").alias("§window");
const TAKEN = pl.col("§window").gtEq(pl.col("§oldest"));
const spreading = new Map<number, pl.Expr>();

/**
 * Rows with a range of windows, from `§oldest` to `§newest`, once per window, as `§window`; a row before the ones after it.
 * @param overlapping how many windows a row has, at most
 */
export function spread(rows: pl.LazyDataFrame, overlapping: number): pl.LazyDataFrame {
  if (overlapping === 1) return rows.withColumns(WINDOW);
  let windows = spreading.get(overlapping);
  if (windows === undefined) {
    const backwards = Array.from({ length: overlapping }, (_, i) => overlapping - 1 - i);
    windows = pl
      .concatList(backwards.map((back) => pl.col("§newest").minus(pl.lit(back).cast(pl.Int64))))
      .alias("§window");
    spreading.set(overlapping, windows);
  }
  return rows.withColumns(windows).explode("§window").filter(TAKEN);
}
