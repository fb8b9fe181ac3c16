import pl from "nodejs-polars";

const KINDS = {
  Float64: Float64Array,
  Float32: Float32Array,
  Int64: BigInt64Array,
  Int32: Int32Array,
} as const;

type Kind = keyof typeof KINDS;
type Numbers = Float64Array | Float32Array | BigInt64Array | Int32Array;

/** Numbers out of a Polars column, each of them there or null. */
export interface NumberColumn {
  readonly values: Numbers;
  /** 1 where there is a value; undefined where that is everywhere. */
  readonly present: Uint8Array | undefined;
}

export function isNumberDType(dtype: string): dtype is Kind {
  return Object.hasOwn(KINDS, dtype);
}

export function numbersOfDType(dtype: Kind, length: number): Numbers {
  return new KINDS[dtype](length);
}

/** A column of a dtype with {@link isNumberDType}: one copy out of Polars, and no query. */
export function readNumbers(column: pl.Series): NumberColumn {
  if (column.nullCount() === 0) return { values: column.toTypedArray() as Numbers, present: undefined };
  return {
    values: column.fillNull("zero").toTypedArray() as Numbers,
    present: column.isNotNull().cast(pl.UInt8).toTypedArray() as Uint8Array,
  };
}

/** The way back. */
export function numberSeries(name: string, dtype: Kind, { values, present }: NumberColumn): pl.Series {
  const series = pl.Series(name, values as Float64Array);
  if (present === undefined) return series;
  const nulls = pl.Series(name, [null], pl[dtype]);
  return series.zipWith(pl.Series(present).cast(pl.Bool), nulls).rename(name) as pl.Series;
}
