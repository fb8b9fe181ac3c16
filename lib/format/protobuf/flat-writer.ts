import type pl from "nodejs-polars";
import type { ByteColumn } from "../../log/columns.ts";
import { type FlatCells, flatCells } from "../flat/cells.ts";
import { RowBytes } from "../flat/row-bytes.ts";

/** A tag, the size of an instant, its two tags and two varints. */
const LONGEST = 5 + 1 + 2 + 10 + 10;

const WIRE = { varint: 0, fixed64: 1, sized: 2 } as const;

/**
 * Rows of the message that `protoOf` makes, written from the columns' cells straight into one buffer, each behind `start`. Undefined where a column is
 * not flat: these rows go the general way.
 */
export function flatProtobufRows(
  frame: pl.DataFrame,
  columns: readonly string[],
  start: Buffer,
): ByteColumn | undefined {
  const writers: ((row: number) => void)[] = [];
  const out = new RowBytes(frame.height, start.length + LONGEST * columns.length);
  for (const [i, name] of columns.entries()) {
    const cells = flatCells(frame, name);
    // a Date is text in Protobuf
    if (cells === undefined || cells.dtype === "Date") return undefined;
    const { nulls } = cells;
    const [wire, write] = valueWriter(out, cells);
    const tag = (i + 1) * 8 + wire;
    writers.push((row) => {
      if (nulls[row] === 1) return;
      out.varint(tag);
      write(row);
    });
  }
  return out.rows(start, writers);
}

function valueWriter(out: RowBytes, { dtype, numbers, text }: FlatCells): [wire: number, write: (row: number) => void] {
  switch (dtype) {
    case "Utf8":
      return [WIRE.sized, (row) => out.text(text(row), 1)];
    case "Float64":
      return [WIRE.fixed64, (row) => out.double(numbers[row]!)];
    case "Boolean":
      return [
        WIRE.varint,
        (row) => {
          out.bytes[out.at++] = numbers[row]!;
        },
      ];
  }
  if (!dtype.startsWith("Datetime")) return [WIRE.varint, (row) => int64(out, numbers[row]!)];
  const perSecond = dtype.startsWith("Datetime(us") ? 1e6 : 1e3;
  return [
    WIRE.sized,
    (row) => {
      const size = out.at++;
      const seconds = Math.floor(numbers[row]! / perSecond);
      out.bytes[out.at++] = 0x08;
      int64(out, seconds);
      out.bytes[out.at++] = 0x10;
      out.varint((numbers[row]! - seconds * perSecond) * (1e9 / perSecond));
      out.bytes[size] = out.at - size - 1;
    },
  ];
}

/** Two's complement of 64 bits as a varint: ten bytes for a negative number. */
function int64(out: RowBytes, value: number): void {
  if (value >= 0) {
    out.varint(value);
    return;
  }
  let low = value >>> 0;
  let high = Math.floor(value / 2 ** 32) >>> 0;
  for (let i = 0; i < 9; i++) {
    out.bytes[out.at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  out.bytes[out.at++] = low;
}
