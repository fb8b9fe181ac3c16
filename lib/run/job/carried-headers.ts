import pl from "nodejs-polars";
import type { RecordColumns, RecordHeader } from "../../log/columns.ts";
import { indexOfOffset } from "../source/index.ts";

/**
 * The headers of the records that rows were made of, found by their `_offset`: headers are kept on the way, without passing through frames. Undefined where no record
 * has any, and for rows that are not those of records (windows).
 */
export function carriedHeaders(
  rows: pl.DataFrame,
  source: RecordColumns,
): (readonly RecordHeader[] | undefined)[] | undefined {
  const { headers, offsets } = source;
  if (headers === undefined || offsets === undefined || !rows.columns.includes("_offset")) return undefined;
  if (!headers.some((list) => list !== undefined)) return undefined;
  const wanted = rows.getColumn("_offset").cast(pl.Float64).toArray() as (number | null)[];
  return wanted.map((offset) => (offset === null ? undefined : headers[indexOfOffset(offsets, offset)]));
}
