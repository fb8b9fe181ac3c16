import type { Decoded, Values } from "../../format/format.ts";
import { Longs } from "../../format/longs.ts";
import type { PackedBatch } from "../../operators/packed-batch.ts";
import type { ProgramSource } from "../../operators/program.ts";
import type { Schema } from "../../schema.ts";
import { textKeys } from "./record-keys.ts";
import type { Fetched } from "./source-reader.ts";
import { FIRST_TIME, LAST_TIME } from "./time-range.ts";

/** So many rows a record, on average: of fewer, what an operator does for each record costs more than a frame. */
const MANY = 16;

/**
 * Decoded records as a packed batch (without its frame), where they hold many rows each, all of them good: plain columns, keys that are text, event times
 * that are a column of them or the record's. Undefined where rows have to be looked at one by one.
 * @param wire the schema that they were decoded with
 */
export function packedBatch(
  { node, schema, needsHeaders }: ProgramSource,
  wire: Schema,
  { partition, columns }: Fetched,
  { packed, rows }: Decoded,
): Omit<PackedBatch, "frame"> | undefined {
  if (packed === undefined || rows < MANY * columns.count || rows === 0) return undefined;
  if (needsHeaders || node.tombstones || node.timeOf !== undefined || node.timeFn !== undefined) return undefined;
  if (node.key !== undefined && (node.key in wire || schema[node.key] !== "Utf8")) return undefined;
  const times = node.time === undefined ? undefined : packed.columns.get(node.time);
  if (node.time !== undefined && !isLongs(times)) return undefined;
  const { least, greatest } = isLongs(times) ? extremes(times) : ofRecords(columns.timestamps);
  // a record without rows has neither
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

const ofRecords = (timestamps: Float64Array) => ({ least: timestamps, greatest: timestamps });

/** The least and the greatest of each record's times. */
function extremes(times: readonly Longs[]) {
  return {
    least: Float64Array.from(times, ({ least }) => least),
    greatest: Float64Array.from(times, ({ greatest }) => greatest),
  };
}
