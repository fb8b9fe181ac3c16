import type pl from "nodejs-polars";
import type { ByteColumn } from "../../log/columns.ts";
import { type FlatCells, flatCells } from "../flat/cells.ts";
import { RowBytes } from "../flat/row-bytes.ts";

/** A branch of a union, a 64-bit varint. */
const LONGEST = 1 + 10;

/**
 * Rows of the schema that `avroSchemaOf` makes, written from the columns' cells straight into one buffer, each behind `start`. Undefined where a column is
 * not flat: these rows go the general way.
 */
export function flatAvroRows(frame: pl.DataFrame, columns: readonly string[], start: Buffer): ByteColumn | undefined {
  const writers: ((row: number) => void)[] = [];
  const out = new RowBytes(frame.height, start.length + LONGEST * columns.length);
  for (const name of columns) {
    const cells = flatCells(frame, name);
    if (cells === undefined) return undefined;
    const { nulls } = cells;
    const write = valueWriter(out, cells);
    writers.push((row) => {
      const isNull = nulls[row] === 1;
      out.bytes[out.at++] = isNull ? 0 : 2;
      if (!isNull) write(row);
    });
  }
  return out.rows(start, writers);
}

function valueWriter(out: RowBytes, { dtype, numbers, text }: FlatCells): (row: number) => void {
  switch (dtype) {
    case "Utf8":
      return (row) => out.text(text(row), 2);
    case "Float64":
      return (row) => out.double(numbers[row]!);
    case "Boolean":
      return (row) => {
        out.bytes[out.at++] = numbers[row]!;
      };
    default:
      return (row) => {
        const value = numbers[row]!;
        out.varint(value >= 0 ? 2 * value : -2 * value - 1);
      };
  }
}
