import type pl from "nodejs-polars";
import { formatOf } from "../../format/index.ts";
import type { ByteColumn } from "../../log/columns.ts";
import { isMetadata } from "../../plan/metadata.ts";
import { outputName } from "../../plan/nodes/terminal-node.ts";
import type { ToParquetNode } from "../../plan/nodes/to-parquet-node.ts";
import type { ToTableNode } from "../../plan/nodes/to-table-node.ts";
import { stacked } from "../../polars/stacked.ts";
import { keyColumn } from "./key-column.ts";

/**
 * What a table, or the files of a folder, hold after these rows, one JSON line a row, as rows of a topic are recorded: `{"key":…,"value":{…}}`. With a key, its values as JSON are the line's, and
 * lines are in their order; without one, rows are in theirs and the line's key is that of the record.
 * @param frames in the order of each key's rows
 */
export function tableLines(terminal: ToTableNode | ToParquetNode, frames: readonly pl.DataFrame[]): string {
  const filled = frames.filter((frame) => frame.height > 0);
  if (filled.length === 0) return "";
  const rows = stacked(filled);
  const columns = rows.columns.filter((column) => !isMetadata(column));
  const json = (frame: pl.DataFrame, names: readonly string[]) =>
    texts(formatOf("json").encode(frame, names, outputName(terminal)));
  const key = terminal.kind === "toTable" ? terminal.key : undefined;
  if (key === undefined) {
    const keys = texts(keyColumn(rows, "_key"));
    return json(rows, columns)
      .map((value, i) => `{"key":${keys[i] === null ? "null" : JSON.stringify(keys[i])},"value":${value}}\n`)
      .join("");
  }
  const last = rows.select(...columns).unique({ subset: [...key], keep: "last", maintainOrder: true });
  const keys = json(last, key);
  return json(last, columns)
    .map((value, i) => `{"key":${JSON.stringify(keys[i])},"value":${value}}\n`)
    .sort()
    .join("");
}

function texts({ bytes, starts, ends, nulls }: ByteColumn): (string | null)[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(starts, (start, i) => (nulls?.[i] === 1 ? null : all.toString("utf8", start, ends[i])));
}
