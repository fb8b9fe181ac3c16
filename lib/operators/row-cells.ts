import pl from "nodejs-polars";
import { doubles } from "../polars/doubles.ts";
import { readTexts } from "../polars/text-column.ts";
import { dtypeName } from "../schema.ts";

/** The cells of one column as JavaScript values, by the place of the row. */
export type Cells = (row: number) => unknown;

const INTEGER = /^U?Int(8|16|32|64)$/;
const FLOAT = /^Float(32|64)$/;

/**
 * Reads a column for code that goes row by row. Numbers are `number`, text `string`, datetimes and dates `Date`, durations and times of day
 * milliseconds, lists arrays, structs objects; null is null. The column crosses from Polars in one piece; no object is made before it is asked for.
 * A cell of an integer beyond what a `number` holds exactly throws when it is read.
 */
export function readCells(frame: pl.DataFrame, name: string): Cells {
  const column = frame.getColumn(name);
  const dtype = dtypeName(column.dtype);
  const cells = readValues(frame, name, column, dtype);
  if (column.nullCount() === 0) return cells;
  const nulls = column.isNull().cast(pl.UInt8).toTypedArray() as Uint8Array;
  return (row) => (nulls[row] === 1 ? null : cells(row));
}

function readValues(frame: pl.DataFrame, name: string, column: pl.Series, dtype: string): Cells {
  if (FLOAT.test(dtype)) return of(doubles(column));
  if (INTEGER.test(dtype)) {
    const values = doubles(column);
    if (!dtype.endsWith("64")) return of(values);
    return (row) => {
      const value = values[row]!;
      if (Number.isSafeInteger(value)) return value;
      throw new RangeError(`the integer in "${name}" is too large for a number: cast it to Utf8 before`);
    };
  }
  switch (dtype) {
    case "Boolean": {
      const values = doubles(column.cast(pl.UInt8));
      return (row) => values[row] === 1;
    }
    case "Utf8":
      return readTexts(frame, name);
    case "Date": {
      const days = doubles(column.cast(pl.Int32));
      return (row) => new Date(days[row]! * 86_400_000);
    }
    case "Null":
      return () => null;
  }
  const [, kind, unit] = /^(Datetime|Duration)\((ms|us|ns)/.exec(dtype) ?? [];
  if (kind !== undefined) {
    const inMs = unit === "ms" ? column : column.cast(kind === "Datetime" ? pl.Datetime("ms") : pl.Duration("ms"));
    const values = doubles(inMs.cast(pl.Int64));
    return kind === "Datetime" ? (row) => new Date(values[row]!) : of(values);
  }
  if (dtype === "Time") {
    const values = doubles(column.cast(pl.Int64));
    return (row) => values[row]! / 1e6;
  }
  if (dtype.startsWith("List(")) return lists(frame, name);
  if (dtype.startsWith("Struct{")) return structs(frame, name, column.dtype);
  return of(column.toArray());
}

function of(values: ArrayLike<unknown>): Cells {
  return (row) => values[row];
}

function lists(frame: pl.DataFrame, name: string): Cells {
  const lengths = doubles(frame.select(pl.col(name).list.lengths().cast(pl.Float64)).getColumn(name));
  const starts = new Float64Array(lengths.length);
  for (let row = 1; row < lengths.length; row++) starts[row] = starts[row - 1]! + lengths[row - 1]!;
  // explode gives a null for an empty list, so these are left out before
  const filled = frame.filter(pl.col(name).list.lengths().gt(pl.lit(0))).select(pl.col(name).explode());
  const items = readCells(filled, name);
  return (row) => Array.from({ length: lengths[row]! }, (_, i) => items(starts[row]! + i));
}

function structs(frame: pl.DataFrame, name: string, dtype: pl.DataType): Cells {
  const fields = (dtype as unknown as { inner: { name: string }[] }).inner.map((field) => {
    const values = frame.select(pl.col(name).struct.field(field.name));
    return [field.name, readCells(values, field.name)] as const;
  });
  return (row) => Object.fromEntries(fields.map(([field, cells]) => [field, cells(row)]));
}

/** The dtype with datetimes and durations as the integers behind them, as JSON can carry them. */
export function carried(dtype: string): string {
  return dtype.replace(/(Datetime|Duration)\([^)]*\)/g, "Int64").replace(/\bDate\b/g, "Int32");
}
