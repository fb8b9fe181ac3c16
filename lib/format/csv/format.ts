import type pl from "nodejs-polars";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import { written } from "../../polars/written.ts";
import type { Schema } from "../../schema.ts";
import { decodeByJson, Unreadable } from "../by-json.ts";
import { flatReadings } from "../flat/reading.ts";
import type { Decoded, DecodeOptions, Format } from "../format.ts";
import { textCells } from "../json/encode.ts";
import { inferSchema } from "../json/infer.ts";
import { FlatCsv } from "./flat-reader.ts";

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * One line of comma-separated values per message (RFC 4180), without a header: the fields are the columns of the schema, in its order. An empty
 * field is null, a quoted one text. Without a schema columns are named `column_1`, `column_2`, …
 */
export const csvFormat: Format = {
  decode(columns: RecordColumns, schema: Schema, options: DecodeOptions = {}): Decoded {
    const names = Object.keys(schema);
    const used = options.used === undefined ? names : names.filter((name) => options.used!.includes(name));
    const flat = flatReading(schema, used).read(columns);
    if (flat !== undefined) return flat;
    const texts = new Set(names.filter((name) => schema[name] === "Utf8"));
    return decodeByJson(columns, schema, { used }, (value) => {
      const cells = csvCells(value.toString());
      if (cells.length !== names.length)
        throw new Unreadable(`${cells.length} fields where the schema has ${names.length}`);
      const fields: string[] = [];
      for (const [i, name] of names.entries()) {
        const cell = cells[i];
        if (cell !== null && (options.used === undefined || used.includes(name)))
          fields.push(`${JSON.stringify(name)}:${jsonCell(cell!, texts.has(name))}`);
      }
      return `{${fields.join(",")}}`;
    });
  },
  encode(frame: pl.DataFrame, columns: readonly string[]): ByteColumn {
    const bytes = written(textCells(frame, columns), "csv");
    const starts = new Uint32Array(frame.height);
    const ends = new Uint32Array(frame.height);
    let quoted = false;
    let row = 0;
    for (let at = 0, start = 0; at < bytes.length; at++) {
      if (bytes[at] === 0x22) quoted = !quoted;
      else if (bytes[at] === 0x0a && !quoted) {
        starts[row] = start;
        ends[row++] = at;
        start = at + 1;
      }
    }
    if (row !== frame.height) throw new TypeError(`${row} lines of CSV for ${frame.height} rows`);
    return { bytes, starts, ends };
  },
  inferSchema(samples: readonly RecordColumns[]): Schema {
    const lines: string[] = [];
    for (const { values, count } of samples)
      for (let i = 0; i < count; i++) {
        const cells = csvCells(Buffer.from(values.bytes.subarray(values.starts[i], values.ends[i])).toString());
        lines.push(
          `{${cells.map((cell, c) => `"column_${c + 1}":${cell === null ? "null" : jsonCell(cell, false)}`).join(",")}}`,
        );
      }
    const values = byteLines(lines);
    return inferSchema([{ count: lines.length, keys: values, values, timestamps: new Float64Array(lines.length) }]);
  },
};

const flatReading = flatReadings((schema, wanted) => FlatCsv.of(schema, wanted));

const jsonCell = (cell: string, text: boolean): string =>
  !text && (NUMBER.test(cell) || cell === "true" || cell === "false") ? cell : JSON.stringify(cell);

/** The fields of one line; null for an empty one that is not quoted. @throws Unreadable */
function csvCells(line: string): (string | null)[] {
  const cells: (string | null)[] = [];
  for (let at = 0; ; at++) {
    if (line[at] === '"') {
      let text = "";
      for (;;) {
        const end = line.indexOf('"', at + 1);
        if (end === -1) throw new Unreadable("a quote is not closed");
        text += line.slice(at + 1, end);
        at = end + 1;
        if (line[at] !== '"') break;
        text += '"';
      }
      cells.push(text);
      if (at < line.length && line[at] !== ",") throw new Unreadable("text behind a closing quote");
    } else {
      const comma = line.indexOf(",", at);
      const end = comma === -1 ? line.length : comma;
      const cell = line.slice(at, end).replace(/\r$/, "");
      cells.push(cell === "" ? null : cell);
      at = end;
    }
    if (at >= line.length) return cells;
  }
}

function byteLines(lines: readonly string[]): ByteColumn {
  const parts = lines.map((line) => Buffer.from(`${line}\n`));
  const ends = new Uint32Array(lines.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    ends[i] = at + part.length - 1;
    at += part.length;
  }
  return { bytes: Buffer.concat(parts), starts: Uint32Array.from(ends, (end, i) => end - parts[i]!.length + 1), ends };
}
