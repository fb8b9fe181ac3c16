import pl from "nodejs-polars";
import type { ByteColumn } from "../../log/columns.ts";
import { readTexts } from "../../polars/text-column.ts";
import { dtypeName } from "../../schema.ts";

/** Zigzag doubles a number, and it must stay one that a double holds. */
const MOST = 2 ** 52;

/** Where writing is. */
interface Out {
  bytes: Buffer;
  at: number;
  /** What a row takes without its texts, at most. */
  readonly room: number;
}
/** Writes the cell of one row. There is always room for a row's numbers. */
type Write = (out: Out, row: number) => void;

/**
 * Rows of the schema that `avroSchemaOf` makes, written column by column's cells straight into one buffer, each behind `start`. Undefined where a column is not flat, or
 * holds a number beyond 2^52: these go the general way.
 */
export function flatAvroRows(frame: pl.DataFrame, columns: readonly string[], start: Buffer): ByteColumn | undefined {
  const { height } = frame;
  const writers: Write[] = [];
  for (const name of columns) {
    const write = writerOf(frame, name);
    if (write === undefined) return undefined;
    writers.push(write);
  }
  const room = start.length + 11 * writers.length;
  const out = { bytes: Buffer.allocUnsafe(Math.max(1024, height * room)), at: 0, room };
  const [starts, ends] = [new Uint32Array(height), new Uint32Array(height)];
  for (let row = 0; row < height; row++) {
    makeRoom(out, room);
    starts[row] = out.at;
    out.bytes.set(start, out.at);
    out.at += start.length;
    for (const write of writers) write(out, row);
    ends[row] = out.at;
  }
  return { bytes: out.bytes.subarray(0, out.at), starts, ends };
}

function writerOf(frame: pl.DataFrame, name: string): Write | undefined {
  const column = frame.getColumn(name);
  const dtype = dtypeName(column.dtype);
  const write = valueWriter(frame, column, dtype);
  if (write === undefined) return undefined;
  // NaN and the infinities have no form in JSON, and are null in every format
  const isNull = dtype.startsWith("Float")
    ? pl
        .col(name)
        .isNull()
        .or(pl.col(name).isFinite().not().fillNull(pl.lit(true)))
    : pl.col(name).isNull();
  const nulls = frame.select(isNull.cast(pl.UInt8).alias("n")).getColumn("n").toTypedArray() as Uint8Array;
  return (out, row) => {
    if (nulls[row] === 1) out.bytes[out.at++] = 0;
    else {
      out.bytes[out.at++] = 2;
      write(out, row);
    }
  };
}

function valueWriter(frame: pl.DataFrame, column: pl.Series, dtype: string): Write | undefined {
  if (dtype === "Utf8") {
    const texts = readTexts(frame, column.name);
    return (out, row) => writeText(out, texts(row));
  }
  if (dtype === "Boolean") {
    const flags = numbers(column.cast(pl.UInt8));
    return (out, row) => {
      out.bytes[out.at++] = flags[row]!;
    };
  }
  // a Float32 is written as the shortest double that means it, as in JSON
  if (dtype === "Float64") {
    const values = numbers(column);
    return (out, row) => {
      out.at = out.bytes.writeDoubleLE(values[row]!, out.at);
    };
  }
  const whole = /^U?Int(8|16|32|64)$|^Date$|^Datetime\((ms|us)/.test(dtype);
  if (!whole) return undefined;
  const counts = numbers(column.cast(dtype === "Date" ? pl.Int32 : dtype.startsWith("Date") ? pl.Int64 : column.dtype));
  for (let row = 0; row < counts.length; row++) if (!(Math.abs(counts[row]!) < MOST)) return undefined;
  return (out, row) => writeLong(out, counts[row]!);
}

function numbers(column: pl.Series): ArrayLike<number> {
  const filled = column.nullCount() === 0 ? column : column.fillNull("zero");
  return filled.cast(pl.Float64).toTypedArray() as Float64Array;
}

function writeLong(out: Out, value: number): void {
  const { bytes } = out;
  let raw = value >= 0 ? 2 * value : -2 * value - 1;
  while (raw >= 2 ** 28) {
    bytes[out.at++] = (raw % 128) | 0x80;
    raw = Math.floor(raw / 128);
  }
  for (; raw > 0x7f; raw >>>= 7) bytes[out.at++] = (raw & 0x7f) | 0x80;
  bytes[out.at++] = raw;
}

function writeText(out: Out, text: string): void {
  // a UTF-16 unit is three bytes at most
  makeRoom(out, 3 * text.length + out.room);
  const { bytes } = out;
  if (text.length < 64) {
    // short and ASCII, as a rule: its size is known at once
    let at = out.at + 1;
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) break;
      bytes[at++] = code;
    }
    if (i === text.length) {
      bytes[out.at] = 2 * text.length;
      out.at = at;
      return;
    }
  }
  writeLong(out, Buffer.byteLength(text));
  out.at += bytes.write(text, out.at);
}

function makeRoom(out: Out, size: number): void {
  if (out.at + size <= out.bytes.length) return;
  const bigger = Buffer.allocUnsafe(2 * out.bytes.length + size);
  out.bytes.copy(bigger, 0, 0, out.at);
  out.bytes = bigger;
}
