import type pl from "nodejs-polars";
import type { ByteColumn } from "../../lib/log/columns.ts";
import type { SinkNode } from "../../lib/plan/nodes/sink-node.ts";
import { sinkRecords } from "../../lib/run/sink/sink-records.ts";

/** Rows of a sink as it would write them, one JSON line each: `{"key":"phone-1","value":{…}}`; a null value is a tombstone. */
export function sinkLines(frame: pl.DataFrame, sink: SinkNode): string {
  if (frame.height === 0) return "";
  const { count, keys, values } = sinkRecords(sink, frame);
  let lines = "";
  for (let row = 0; row < count; row++) {
    const key = textAt(keys, row);
    lines += `{"key":${key === null ? "null" : JSON.stringify(key)},"value":${textAt(values, row)}}\n`;
  }
  return lines;
}

function textAt({ bytes, starts, ends, nulls }: ByteColumn, row: number): string | null {
  if (nulls?.[row] === 1) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8", starts[row], ends[row]);
}
