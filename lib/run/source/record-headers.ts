import pl from "nodejs-polars";
import type { RecordHeader } from "../../log/columns.ts";

/** The dtype of `_headers`. Header values are read as UTF-8 text. */
export const HEADERS_DTYPE = "List(Struct{key:Utf8,value:Utf8})";

/** Built by the JSON reader: nodejs-polars makes no list of structs from JavaScript values. Row 0 fixes the dtype. */
export function headersSeries(
  headers: readonly (readonly RecordHeader[] | undefined)[] | undefined,
  good: Uint32Array | undefined,
  rows: number,
): pl.Series {
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString("utf8"));
  const lines = ['{"_headers":[{"key":"","value":""}]}'];
  for (let row = 0; row < rows; row++) {
    const list = headers?.[good?.[row] ?? row] ?? [];
    lines.push(JSON.stringify({ _headers: list.map(({ key, value }) => ({ key: text(key), value: text(value) })) }));
  }
  const frame = pl.readJSON(Buffer.from(`${lines.join("\n")}\n`), { format: "lines", inferSchemaLength: 1 });
  return frame.slice(1, rows).getColumn("_headers");
}
