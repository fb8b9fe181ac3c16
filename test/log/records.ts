import type { ByteColumn, RecordColumns } from "../../lib/log/index.ts";

/** A record written down for a test; strings are UTF-8. */
export interface TestRecord {
  key: string | null;
  value: string | null;
  timestamp: number;
  headers?: Record<string, string | null>;
  offset?: number;
}

/** One to be written, whose value may be bytes. */
type Writable = Omit<TestRecord, "value"> & { value: string | Uint8Array | null };

/** Rows to columns. */
export function columnsOf(records: readonly Writable[]): RecordColumns {
  return {
    count: records.length,
    keys: bytesOf(records.map(({ key }) => key)),
    values: bytesOf(records.map(({ value }) => value)),
    timestamps: Float64Array.from(records, ({ timestamp }) => timestamp),
    ...(records.some(({ headers }) => headers) && {
      headers: records.map(
        ({ headers }) =>
          headers &&
          Object.entries(headers).map(([key, value]) => ({
            key: Buffer.from(key),
            value: value === null ? null : Buffer.from(value),
          })),
      ),
    }),
  };
}

/** Columns to rows, with offsets and headers where the columns have them. */
export function rowsOf(columns: RecordColumns): TestRecord[] {
  return Array.from({ length: columns.count }, (_, row) => {
    const headers = columns.headers?.[row];
    return {
      key: textAt(columns.keys, row),
      value: textAt(columns.values, row),
      timestamp: columns.timestamps[row]!,
      ...(headers && {
        headers: Object.fromEntries(
          headers.map(({ key, value }) => [String(key), value === null ? null : String(value)]),
        ),
      }),
      ...(columns.offsets && { offset: columns.offsets[row]! }),
    };
  });
}

export const valuesOf = (columns: RecordColumns) => rowsOf(columns).map(({ value }) => value);

/** `count` records with keys and numbered values, one per millisecond. */
export const numbered = (count: number, stem = "v", from = 0): TestRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    key: `k${(from + i) % 7}`,
    value: `${stem}${from + i}`,
    timestamp: 1_700_000_000_000 + from + i,
  }));

function bytesOf(texts: readonly (string | Uint8Array | null)[]): ByteColumn {
  const parts = texts.map((text) => Buffer.from(text ?? ""));
  const starts = new Uint32Array(texts.length);
  const ends = new Uint32Array(texts.length);
  let at = 0;
  parts.forEach((part, row) => {
    starts[row] = at;
    at += part.length;
    ends[row] = at;
  });
  const nulls = texts.includes(null) ? Uint8Array.from(texts, (text) => (text === null ? 1 : 0)) : undefined;
  return { bytes: Buffer.concat(parts), starts, ends, ...(nulls && { nulls }) };
}

function textAt({ bytes, starts, ends, nulls }: ByteColumn, row: number): string | null {
  return nulls?.[row] === 1 ? null : String(Buffer.from(bytes.subarray(starts[row]!, ends[row]!)));
}
