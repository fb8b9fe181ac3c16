import pl from "nodejs-polars";

const NAN = pl.lit(Number.NaN);
const WATERMARK = asNumbers(pl.col("_watermark"));

/** A column of times in ms as numbers, NaN for null. */
export function asNumbers(column: pl.Expr): pl.Expr {
  return column.cast(pl.Int64).cast(pl.Float64).fillNull(NAN);
}

/** A column of numbers without nulls. */
export function numbers(frame: pl.DataFrame, name: string): Float64Array {
  return frame.height === 0 ? new Float64Array() : frame.getColumn(name).toTypedArray();
}

/** Whole numbers as a column of Int64. */
export function integers(name: string, values: Float64Array): pl.Series {
  return pl.Series(name, values as unknown as number[], pl.Float64).cast(pl.Int64);
}

const times = new Map<string, pl.Expr>();

/**
 * The event times of rows and the watermark just before each, in ms; NaN for none. Rows that carry no `_watermark` have been released by it and
 * are never late.
 */
export function clocks(batch: pl.DataFrame, indexColumn: string): { times: Float64Array; watermarks: Float64Array } {
  let time = times.get(indexColumn);
  if (time === undefined) {
    time = asNumbers(pl.col(indexColumn).cast(pl.Datetime("ms"))).alias("§time");
    times.set(indexColumn, time);
  }
  const known = batch.columns.includes("_watermark");
  const rows = batch.select(time, ...(known ? [WATERMARK] : []));
  return {
    times: numbers(rows, "§time"),
    watermarks: known ? numbers(rows, "_watermark") : new Float64Array(batch.height).fill(Number.NaN),
  };
}
