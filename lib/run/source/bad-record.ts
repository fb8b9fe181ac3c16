import type { ByteColumn, RecordColumns } from "../../log/columns.ts";

/** A record that no row could be made of, with all that is needed to look at it, or to write it to a dead-letter topic. */
export interface BadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's own timestamp, ms since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** For a reader, in one phrase: `gForceX: "fast" is not a Float64`. */
  readonly reason: string;
}

/**
 * The record at `index` of fetched columns, as a bad one. Its bytes are copied: it outlives the fetch response that it lies in. Below 0 it is
 * no record of these columns but a row of windows or a timer: its offset is -1 and it has no key and value.
 */
export function badRecordAt(
  {
    topic,
    partition,
    columns,
  }: { readonly topic: string; readonly partition: number; readonly columns: RecordColumns },
  index: number,
  reason: string,
): BadRecord {
  if (index < 0) return { topic, partition, offset: -1, timestamp: 0, key: null, value: null, reason };
  return {
    topic,
    partition,
    offset: columns.offsets![index]!,
    timestamp: columns.timestamps[index]!,
    key: cell(columns.keys, index),
    value: cell(columns.values, index),
    reason,
  };
}

function cell({ bytes, starts, ends, nulls }: ByteColumn, index: number): Uint8Array | null {
  return nulls?.[index] ? null : bytes.slice(starts[index], ends[index]);
}

/** Where the record with this offset is among those of a partition; -1 where it is not. */
export function indexOfOffset(offsets: Float64Array, offset: number): number {
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
