import type { RecordColumns } from "../../lib/log/columns.ts";

/** Records of these values, one behind the other. */
export function byteRecords(values: readonly Buffer[]): RecordColumns {
  const ends = new Uint32Array(values.length);
  let at = 0;
  for (const [i, value] of values.entries()) {
    at += value.length;
    ends[i] = at;
  }
  const column = { bytes: Buffer.concat(values), starts: ends.map((end, i) => end - values[i]!.length), ends };
  return { count: values.length, keys: column, values: column, timestamps: new Float64Array(values.length) };
}

/** Whether every number in these rows has a form in JSON. */
export function allFinite(rows: readonly object[]): boolean {
  return rows.every((row) => Object.values(row).every((value) => typeof value !== "number" || Number.isFinite(value)));
}
