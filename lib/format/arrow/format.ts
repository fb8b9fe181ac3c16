import pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import type { ByteColumn, RecordColumns } from "../../log/columns.ts";
import { stacked } from "../../polars/stacked.ts";
import { dtypeOf, emptyFrame, type Schema, schemaOf } from "../../schema.ts";
import { byteColumn } from "../by-json.ts";
import type { BadValue, Decoded, DecodeOptions, Format } from "../format.ts";
import { packedDecoded, recordsOfRows } from "./packed-decoded.ts";
import { plainMessages } from "./plain-messages.ts";
import { readArrow } from "./read-arrow.ts";

/**
 * Arrow IPC, a file or a stream per message: a message holds many rows, and all of them have its key, offset and headers. Columns are found by name; one
 * that a message lacks is null. A message that is not Arrow, or one with a column that does not fit, is bad as a whole.
 * Written is one stream per row: rows that belong together are packed by who writes (`millrace simulate car`).
 */
export const arrowFormat: Format = {
  decode(
    { values, count }: RecordColumns,
    schema: Schema,
    { used = Object.keys(schema) }: DecodeOptions = {},
  ): Decoded {
    const names = Object.keys(schema).filter((name) => used.includes(name));
    const plain = plainMessages(values, count, schema, names);
    if (plain !== undefined) return packedDecoded(plain, pick(schema, names));
    const bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    const frames: pl.DataFrame[] = [];
    const bad: BadValue[] = [];
    const sizes: number[] = [];
    const from: number[] = [];
    let unknownFields = 0;
    for (let index = 0; index < count; index++) {
      try {
        if (values.nulls?.[index]) throw new Error("null value (tombstone)");
        const frame = readArrow(bytes.subarray(values.starts[index], values.ends[index]));
        const fitted = fit(frame, schema, names);
        unknownFields += frame.columns.filter((name) => !Object.hasOwn(schema, name)).length;
        frames.push(fitted);
        sizes.push(frame.height);
        from.push(index);
      } catch (error) {
        bad.push({ index, reason: (error as Error).message.split("\n")[0]!.slice(0, 200) });
      }
    }
    const rows = sizes.reduce((sum, size) => sum + size, 0);
    const frame = frames.length === 0 ? emptyFrame(pick(schema, names)) : stacked(frames);
    return { frame, rows, bad, good: recordsOfRows(sizes, rows, from), unknownFields };
  },
  encode(frame: pl.DataFrame, columns: readonly string[]): ByteColumn {
    const chosen = frame.select(...columns.map((name) => pl.col(name)));
    return byteColumn(
      Array.from({ length: frame.height }, (_, row) =>
        chosen.slice(row, 1).writeIPCStream({ compression: "uncompressed" }),
      ),
    );
  },
  inferSchema(samples: readonly RecordColumns[]): Schema {
    const schema: Record<string, string> = {};
    for (const { values, count } of samples)
      for (let i = 0; i < count; i++) {
        try {
          const bytes = Buffer.from(values.bytes.subarray(values.starts[i], values.ends[i]));
          for (const [name, dtype] of Object.entries(schemaOf(readArrow(bytes)))) schema[name] ??= dtype;
        } catch {
          // it will be bad under any schema
        }
      }
    return schema;
  },
};

/** The columns asked for, in their dtypes. */
function fit(frame: pl.DataFrame, schema: Schema, names: readonly string[]): pl.DataFrame {
  const present = schemaOf(frame);
  const wrong = names.find((name) => Object.hasOwn(present, name) && !fits(present[name]!, schema[name]!));
  if (wrong !== undefined) throw new Error(`${wrong}: ${present[wrong]} is not ${schema[wrong]}`);
  if (names.every((name) => present[name] === schema[name]) && names.length > 0) return frame.select(...names);
  const exprs = names.map((name) =>
    (Object.hasOwn(present, name) ? pl.col(name) : pl.lit(null as unknown as string))
      .cast(dtypeOf(schema[name]!))
      .alias(name),
  );
  return frame.select(...exprs);
}

/** Without loss. */
function fits(from: string, to: string): boolean {
  if (from === to || from === "Null" || to === "Utf8") return true;
  const size = (dtype: string) => Number(/\d+$/.exec(dtype)?.[0] ?? 0);
  if (/^Float/.test(to)) return /^Float32$|^U?Int(8|16|32)$/.test(from);
  if (/^Int/.test(to))
    return (/^Int/.test(from) && size(from) <= size(to)) || (/^UInt/.test(from) && size(from) < size(to));
  return /^Datetime\(/.test(to) && /^(Datetime\(|Int64$|Float64$)/.test(from);
}

function pick(schema: Schema, names: readonly string[]): Schema {
  if (names.length === 0)
    throw new Refusal({ code: "NO_COLUMN", what: "the program uses no column of its Arrow messages" });
  return Object.fromEntries(names.map((name) => [name, schema[name]!]));
}
