import pl from "nodejs-polars";
import type { RecordColumns, RecordHeader } from "../../log/columns.ts";

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
  return wanted.map((offset) => (offset === null ? undefined : headers[place(offsets, offset)]));
}

/** Where `offset` is in ascending `offsets`; -1 where it is not. */
function place(offsets: Float64Array, offset: number): number {
  let [low, high] = [0, offsets.length - 1];
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const found = offsets[middle] as number;
    if (found === offset) return middle;
    if (found < offset) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
