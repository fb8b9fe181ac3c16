import pl from "nodejs-polars";
import { frameOf } from "../../polars/frame-of.ts";
import { textLines } from "../../polars/text-lines.ts";

/** Dtypes that {@link FlatColumn} holds. */
export const FLAT = /^(Int64|Float64|Utf8|Boolean|Date|Datetime\((s|ms|us)\))$/;

/** A column that is filled cell by cell from the bytes of messages: numbers by value, texts by where they stand. */
export interface FlatColumn {
  readonly name: string;
  readonly dtype: string;
  /** Numbers, 0 and 1, days or instants in units of the dtype that they arrive in; NaN is null. Empty for texts. */
  cells: Float64Array;
  starts: Uint32Array;
  ends: Uint32Array;
}

export function flatColumn(name: string, dtype: string): FlatColumn {
  return { name, dtype, cells: new Float64Array(0), starts: new Uint32Array(0), ends: new Uint32Array(0) };
}

/** Makes room for so many rows, all of them null (a text that ends at 0). */
export function emptied(column: FlatColumn, rows: number): void {
  if (column.dtype !== "Utf8") column.cells = new Float64Array(rows).fill(Number.NaN);
  else {
    column.starts = new Uint32Array(rows);
    column.ends = new Uint32Array(rows);
  }
}

/** @param holes whether some cells are null */
export function numberSeries({ name, dtype, cells }: FlatColumn, holes: boolean): pl.Series {
  let series = pl.Series(name, cells);
  if (holes) {
    const value = pl.col(name);
    const filled = pl.when(value.isNotNan()).then(value).otherwise(pl.lit(null)).alias(name);
    series = frameOf([series]).select(filled).getColumn(name);
  }
  if (dtype === "Int64") return series.cast(pl.Int64);
  if (dtype === "Boolean") return series.cast(pl.Bool);
  if (dtype === "Date") return series.cast(pl.Int32).cast(pl.Date);
  if (dtype.startsWith("Datetime")) return series.cast(pl.Int64).cast(pl.Datetime(/us/.test(dtype) ? "us" : "ms"));
  return series;
}

/** Texts by way of lines; undefined where that way is not exact. */
export function textSeries({ name, starts, ends }: FlatColumn, bytes: Buffer): pl.Series | undefined {
  let length = 0;
  let odd = false;
  for (let row = 0; row < starts.length; row++) {
    const size = ends[row]! - starts[row]!;
    if (size <= 0) odd = true;
    length += Math.max(size, 0) + 1;
  }
  // a line is neither empty nor missing: where a text is, each line tells first which it is
  const lines = Buffer.allocUnsafe(odd ? length + starts.length : length);
  let at = 0;
  for (let row = 0; row < starts.length; row++) {
    if (odd) lines[at++] = ends[row] === 0 ? MISSING : PRESENT;
    for (let from = starts[row]!; from < ends[row]!; from++) lines[at++] = bytes[from]!;
    lines[at++] = 0x0a;
  }
  const series = textLines(name, lines.subarray(0, at - 1), starts.length);
  if (!odd || series === undefined) return series;
  const line = pl.col(name);
  const text = pl.when(line.str.contains("^p")).then(line.str.slice(1)).otherwise(pl.lit(null));
  return frameOf([series]).select(text.alias(name)).getColumn(name);
}

/** The frame of these columns; undefined where the texts of one cannot go this way. @param bytes where their texts stand */
export function flatFrame(columns: readonly FlatColumn[], bytes: Buffer): pl.DataFrame | undefined {
  const series: pl.Series[] = [];
  for (const column of columns) {
    const made = column.dtype === "Utf8" ? textSeries(column, bytes) : numberSeries(column, hasHoles(column));
    if (made === undefined) return undefined;
    series.push(made);
  }
  return frameOf(series);
}

function hasHoles({ cells }: FlatColumn): boolean {
  for (let row = 0; row < cells.length; row++) if (Number.isNaN(cells[row])) return true;
  return false;
}

const PRESENT = 0x70; // p
const MISSING = 0x6d; // m
