import type { ByteColumn, RecordColumns } from "../../lib/log/columns.ts";

/** Byte strings as a column, each followed by a newline as the record-batch codec leaves them. */
export function byteColumn(values: readonly (string | Uint8Array | null)[]): ByteColumn {
  const parts = values.map((value) => (value === null ? Buffer.alloc(0) : Buffer.from(value as string)));
  const starts = new Uint32Array(values.length);
  const ends = new Uint32Array(values.length);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    starts[i] = at;
    at += part.length;
    ends[i] = at++;
  }
  const newline = Buffer.from("\n");
  const bytes = Buffer.concat(parts.flatMap((part) => [part, newline]));
  const nulls = values.includes(null) ? Uint8Array.from(values, (value) => Number(value === null)) : undefined;
  return { bytes, starts, ends, nulls };
}

/** Records as a fetch gives them. */
export function recordColumns(
  values: readonly (string | Uint8Array | null)[],
  options: {
    keys?: readonly (string | Uint8Array | null)[];
    timestamps?: readonly number[];
    firstOffset?: number;
  } = {},
): RecordColumns {
  const count = values.length;
  return {
    count,
    values: byteColumn(values),
    keys: byteColumn(options.keys ?? values.map(() => null)),
    timestamps: Float64Array.from({ length: count }, (_, i) => options.timestamps?.[i] ?? i),
    offsets: Float64Array.from({ length: count }, (_, i) => (options.firstOffset ?? 0) + i),
  };
}
