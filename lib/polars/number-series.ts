import pl from "nodejs-polars";
import { dtypeOf } from "../schema.ts";

/** Numbers as a column of this dtype: that of their array, or any where they are doubles, which may stand for integers and times. */
export function numberSeries(name: string, values: ArrayLike<number>, dtype: string): pl.Series {
  const series = pl.Series(name, values as unknown as number[]);
  if (!(values instanceof Float64Array)) return series;
  return dtype.startsWith("Float") ? series.cast(dtypeOf(dtype)) : series.cast(pl.Int64).cast(dtypeOf(dtype));
}
