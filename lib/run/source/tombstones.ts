import pl from "nodejs-polars";
import type { RecordColumns } from "../../log/columns.ts";
import type { ProgramSource } from "../../operators/program.ts";
import { dtypeOf } from "../../schema.ts";
import { textKeys } from "./record-keys.ts";

const KEPT = pl.lit(false).alias("_delete");

/** The records without a value among these that have a key: for a table they delete its row. */
export function tombstonesOf({ keys, values, count }: RecordColumns): readonly number[] {
  const { nulls } = values;
  if (nulls === undefined) return [];
  const found: number[] = [];
  for (let i = 0; i < count; i++) if (nulls[i] === 1 && keys.nulls?.[i] !== 1) found.push(i);
  return found;
}

/**
 * The rows of a table's records and its tombstones, in offset order, with `_delete`. A tombstone has its key and the record's own timestamp, and
 * null in every other column.
 * @param frame the rows of the records that have a value
 * @param at the tombstones' indices
 */
export function withTombstones(
  frame: pl.DataFrame,
  at: readonly number[],
  { columns, partition }: { columns: RecordColumns; partition: number },
  { node, schema }: ProgramSource,
): pl.DataFrame {
  const rows = frame.withColumns(KEPT);
  if (at.length === 0) return rows;
  const { texts } = textKeys(columns.keys, columns.count);
  const gone = pl.DataFrame([
    pl.Series(
      "key",
      at.map((i) => texts[i]!),
      pl.Utf8,
    ),
    pl.Series(
      "time",
      Float64Array.from(at, (i) => columns.timestamps[i]!),
    ),
    pl.Series(
      "offset",
      Float64Array.from(at, (i) => columns.offsets![i]!),
    ),
  ]);
  const dtypes = new Map(frame.columns.map((name, i) => [name, frame.dtypes[i]!]));
  const made = frame.columns.map((name) => {
    if (name === "_key") return pl.col("key").alias(name);
    if (name === node.key) return pl.col("key").cast(dtypeOf(schema[name]!), false).alias(name);
    if (name === "_time") return pl.col("time").cast(pl.Int64).cast(pl.Datetime("ms")).alias(name);
    if (name === "_partition") return pl.lit(partition).cast(pl.Int32).alias(name);
    if (name === "_offset") return pl.col("offset").cast(pl.Int64).alias(name);
    return pl.lit(null).cast(dtypes.get(name)!).alias(name);
  });
  return pl.concat([rows, gone.select(...made, pl.lit(true).alias("_delete"))]).sort("_offset");
}
