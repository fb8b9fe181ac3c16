import type { ByteColumn, RecordColumns } from "./columns.ts";
import { partitionOf } from "./murmur2.ts";

let turn = 0;

/**
 * Records split by partition, placed as Java's default partitioner does (murmur2 of the key). Records without a key go
 * together to one partition, the next one on each call. Order is kept; the columns share the bytes of the input.
 * The answer has one entry per partition; a partition without records has `count` 0.
 */
export function partitionByKey(columns: RecordColumns, partitionCount: number): RecordColumns[] {
  const { count, keys } = columns;
  if (partitionCount === 1) return [columns];
  const placed = new Uint32Array(count);
  const sizes = new Uint32Array(partitionCount);
  let unkeyed = -1;
  for (let row = 0; row < count; row++) {
    let partition: number;
    if (keys.nulls?.[row] === 1) {
      if (unkeyed < 0) unkeyed = turn++ % partitionCount;
      partition = unkeyed;
    } else partition = partitionOf(partitionCount, keys.bytes, keys.starts[row]!, keys.ends[row]!);
    placed[row] = partition;
    sizes[partition]!++;
  }
  const rows = Array.from(sizes, (size) => new Uint32Array(size));
  const filled = new Uint32Array(partitionCount);
  for (let row = 0; row < count; row++) {
    const partition = placed[row]!;
    rows[partition]![filled[partition]!++] = row;
  }
  return rows.map((indices) => takeRecords(columns, indices));
}

/** The records from one up to another, which is not among them. */
export function sliceRecords<Columns extends RecordColumns>(columns: Columns, from: number, to: number): Columns {
  const indices = Uint32Array.from({ length: to - from }, (_, index) => from + index);
  return takeRecords(columns, indices) as Columns;
}

/** The records at these indices, in this order; bytes are shared with `columns`. */
export function takeRecords(columns: RecordColumns, indices: Uint32Array): RecordColumns {
  const timestamps = new Float64Array(indices.length);
  for (let i = 0; i < indices.length; i++) timestamps[i] = columns.timestamps[indices[i]!]!;
  let offsets: Float64Array | undefined;
  if (columns.offsets !== undefined) {
    offsets = new Float64Array(indices.length);
    for (let i = 0; i < indices.length; i++) offsets[i] = columns.offsets[indices[i]!]!;
  }
  return {
    count: indices.length,
    keys: takeBytes(columns.keys, indices),
    values: takeBytes(columns.values, indices),
    timestamps,
    ...(offsets && { offsets }),
    ...(columns.headers && { headers: Array.from(indices, (row) => columns.headers![row]) }),
  };
}

function takeBytes(column: ByteColumn, indices: Uint32Array): ByteColumn {
  const starts = new Uint32Array(indices.length);
  const ends = new Uint32Array(indices.length);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i]!;
    starts[i] = column.starts[row]!;
    ends[i] = column.ends[row]!;
  }
  if (column.nulls === undefined) return { bytes: column.bytes, starts, ends };
  const nulls = new Uint8Array(indices.length);
  for (let i = 0; i < indices.length; i++) nulls[i] = column.nulls[indices[i]!]!;
  return { bytes: column.bytes, starts, ends, nulls };
}
