import pl from "nodejs-polars";
import { doubles } from "../../polars/doubles.ts";
import { readTexts } from "../../polars/text-column.ts";
import { dtypeName } from "../../schema.ts";

/** A number may be doubled (zigzag) and must stay one that a double holds. */
const MOST = 2 ** 52;

/** The cells of a flat column, by the place of the row. */
export interface FlatCells {
  readonly dtype: string;
  /** 1 where there is none; NaN and the infinities have no form in JSON, and are null in every format. */
  readonly nulls: Uint8Array;
  /** Numbers; flags as 0 and 1, days, instants in units of the dtype. Empty for texts. */
  readonly numbers: ArrayLike<number>;
  readonly text: (row: number) => string;
}

/**
 * Undefined where the column is not flat, or holds a whole number beyond 2^52. (A Float32 is none: it is written as the shortest double that means it, as in JSON.)
 */
export function flatCells(frame: pl.DataFrame, name: string): FlatCells | undefined {
  const column = frame.getColumn(name);
  const dtype = dtypeName(column.dtype);
  const whole = /^U?Int(8|16|32|64)$|^Date$|^Datetime\((ms|us)/.test(dtype);
  if (!whole && dtype !== "Utf8" && dtype !== "Boolean" && dtype !== "Float64") return undefined;
  const value = pl.col(name);
  const isNull =
    dtype === "Float64" ? value.isNull().or(value.isFinite().not().fillNull(pl.lit(true))) : value.isNull();
  const nulls = frame.select(isNull.cast(pl.UInt8).alias("n")).getColumn("n").toTypedArray() as Uint8Array;
  if (dtype === "Utf8") return { dtype, nulls, numbers: [], text: readTexts(frame, name) };
  const physical = dtype === "Boolean" ? pl.UInt8 : dtype === "Date" ? pl.Int32 : pl.Int64;
  const numbers = whole || dtype === "Boolean" ? doubles(column.cast(physical)) : doubles(column);
  if (whole) for (let row = 0; row < numbers.length; row++) if (!(Math.abs(numbers[row]!) < MOST)) return undefined;
  return { dtype, nulls, numbers, text: () => "" };
}
