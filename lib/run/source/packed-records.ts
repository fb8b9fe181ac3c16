import type { Decoded, Values } from "../../format/format.ts";
import { Longs } from "../../format/longs.ts";
import { MANY_ROWS, type PackedRecords } from "../../operators/packed-batch.ts";
import type { ProgramSource } from "../../operators/program.ts";
import type { Schema } from "../../schema.ts";
import { textKeys } from "./record-keys.ts";
import type { Fetched } from "./source-reader.ts";
import { FIRST_TIME, LAST_TIME } from "./time-range.ts";

/**
 * Decoded records as a packed batch has them, where they hold many rows each, all of them good: plain columns, keys that are text, event times
 * that are a column of them or the record's. Undefined where rows have to be looked at one by one.
 * @param wire the schema that they were decoded with
 */
export function packedRecords(
  { node, schema, needsHeaders }: ProgramSource,
  wire: Schema,
  { partition, columns }: Fetched,
  { packed, rows }: Decoded,
): PackedRecords | undefined {
  if (packed === undefined || rows < MANY_ROWS * columns.count || rows === 0) return undefined;
  if (needsHeaders || node.tombstones || node.timeOf !== undefined || node.timeFn !== undefined) return undefined;
  if (node.key !== undefined && (Object.hasOwn(wire, node.key) || schema[node.key] !== "Utf8")) return undefined;
  const times = node.time === undefined ? undefined : packed.columns.get(node.time);
  if (node.time !== undefined && !isLongs(times)) return undefined;
  const { least, greatest } = isLongs(times) ? extremes(times) : ofRecords(columns.timestamps, packed.rows);
  for (const ms of least) if (ms < FIRST_TIME) return undefined;
  for (const ms of greatest) if (ms > LAST_TIME) return undefined;
  if (times === undefined && columns.timestamps.includes(-1)) return undefined;
  const { texts, notText } = textKeys(columns.keys, columns.count);
  if (notText.length > 0) return undefined;
  return {
    rows: packed.rows,
    columns: packed.columns,
    partition,
    keys: texts,
    keyColumn: node.key,
    time: node.time,
    least,
    greatest,
  };
}

const isLongs = (values: readonly Values[] | undefined): values is readonly Longs[] =>
  values?.every((one) => one instanceof Longs) ?? false;

/** The records' own timestamps, where they have rows. */
function ofRecords(timestamps: Float64Array, rows: readonly number[]) {
  return {
    least: timestamps.map((ms, i) => (rows[i] === 0 ? Number.POSITIVE_INFINITY : ms)),
    greatest: timestamps.map((ms, i) => (rows[i] === 0 ? Number.NEGATIVE_INFINITY : ms)),
  };
}

/** The least and the greatest of each record's times. */
function extremes(times: readonly Longs[]) {
  return {
    least: Float64Array.from(times, ({ least }) => least),
    greatest: Float64Array.from(times, ({ greatest }) => greatest),
  };
}
