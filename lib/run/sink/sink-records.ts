import pl from "nodejs-polars";
import { formatOf } from "../../format/index.ts";
import type { ByteColumn, RecordColumns, RecordHeader } from "../../log/columns.ts";
import { isMetadata } from "../../plan/metadata.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import { keyColumn } from "./key-column.ts";

/**
 * The rows of a sink as records to be written: the value by the sink's format from every column except metadata (or those named in
 * `value`), the key column (else the key of the source record) as text, the event time as timestamp (the record's own clock at the time of
 * writing where there is none), headers where the rows carry them, and a tombstone where `_delete` is true. Not placed on partitions yet.
 */
export function sinkRecords(sink: SinkNode, rows: pl.DataFrame): RecordColumns {
  const columns = sink.value ?? rows.columns.filter((name) => !isMetadata(name));
  const values = formatOf(sink.format).encode(rows, columns, sink.topic);
  const headers = rows.columns.includes("_headers") ? headersOf(rows) : undefined;
  return {
    count: rows.height,
    keys: keyColumn(rows, sink.key ?? "_key"),
    values: rows.columns.includes("_delete") ? withTombstones(values, rows.getColumn("_delete")) : values,
    timestamps: timestamps(rows),
    ...(headers && { headers }),
  };
}

function timestamps(rows: pl.DataFrame): Float64Array {
  const now = Date.now();
  if (!rows.columns.includes("_time")) return new Float64Array(rows.height).fill(now);
  const times = rows.getColumn("_time").cast(pl.Int64).cast(pl.Float64);
  if (times.nullCount() === 0) return Float64Array.from(times.toTypedArray() as Float64Array);
  return Float64Array.from(times.toArray() as (number | null)[], (time) => time ?? now);
}

function withTombstones(values: ByteColumn, remove: pl.Series): ByteColumn {
  const flags = remove.toArray() as (boolean | null)[];
  if (!flags.includes(true)) return values;
  const nulls = Uint8Array.from(flags, (flag) => Number(flag === true));
  const ends = values.ends.map((end, row) => (nulls[row] ? values.starts[row]! : end));
  return { ...values, ends, nulls };
}

function headersOf(rows: pl.DataFrame): (readonly RecordHeader[] | undefined)[] {
  const cells = rows.getColumn("_headers").toArray() as unknown as ({ key: string; value: string | null }[] | null)[];
  return cells.map((list) =>
    list === null || list.length === 0
      ? undefined
      : list.map(({ key, value }) => ({ key: Buffer.from(key), value: value === null ? null : Buffer.from(value) })),
  );
}
