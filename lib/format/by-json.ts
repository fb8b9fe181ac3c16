import type { ByteColumn, RecordColumns } from "../log/columns.ts";
import type { Schema } from "../schema.ts";
import type { BadValue, Decoded, DecodeOptions } from "./format.ts";
import { jsonFormat } from "./json.ts";

/** A value that is none, and why in one phrase. */
export class Unreadable extends Error {}

/**
 * Values of another format by way of a line of JSON each: what fits a column, and what is said where it does not, is then the same in every format.
 * @param lineOf gives a line, or throws {@link Unreadable}
 */
export function decodeByJson(
  columns: RecordColumns,
  schema: Schema,
  options: DecodeOptions,
  lineOf: (value: Buffer) => string,
): Decoded {
  const { bytes, starts, ends, nulls } = columns.values;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  const indices: number[] = [];
  const bad: BadValue[] = [];
  for (let index = 0; index < columns.count; index++) {
    if (nulls?.[index]) bad.push({ index, reason: "null value (tombstone)" });
    else
      try {
        lines.push(lineOf(buffer.subarray(starts[index], ends[index])));
        indices.push(index);
      } catch (error) {
        if (!(error instanceof Unreadable)) throw error;
        bad.push({ index, reason: error.message });
      }
  }
  const values = linesColumn(lines);
  const decoded = jsonFormat.decode(
    { count: lines.length, keys: values, values, timestamps: NO_TIMES },
    schema,
    options,
  );
  const among = decoded.bad.map(({ index, reason }) => ({ index: indices[index]!, reason }));
  const all = [...bad, ...among].sort((a, b) => a.index - b.index);
  if (all.length === 0) return decoded;
  const good = decoded.good ?? Uint32Array.from(indices.keys());
  return { ...decoded, bad: all, good: good.map((line) => indices[line]!) };
}

const NO_TIMES = new Float64Array(0);

function linesColumn(lines: readonly string[]): ByteColumn {
  const bytes = Buffer.from(lines.length === 0 ? "" : `${lines.join("\n")}\n`);
  const starts = new Uint32Array(lines.length);
  const ends = new Uint32Array(lines.length);
  for (let line = 0, at = 0; line < lines.length; line++) {
    starts[line] = at;
    at = bytes.indexOf(0x0a, at);
    ends[line] = at++;
  }
  return { bytes, starts, ends };
}

/** Values one behind the other. */
export function byteColumn(values: readonly Buffer[]): ByteColumn {
  const ends = new Uint32Array(values.length);
  let at = 0;
  for (const [i, value] of values.entries()) {
    at += value.length;
    ends[i] = at;
  }
  return { bytes: Buffer.concat(values), starts: Uint32Array.from(ends, (end, i) => end - values[i]!.length), ends };
}
