import pl from "nodejs-polars";

/** The numbers of a column by the place of the row, null as 0: one copy out of Polars. */
export function doubles(column: pl.Series): ArrayLike<number> {
  const filled = column.nullCount() === 0 ? column : column.fillNull("zero");
  return filled.cast(pl.Float64).toTypedArray() as Float64Array;
}
