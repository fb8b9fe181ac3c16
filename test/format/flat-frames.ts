import fc from "fast-check";
import pl from "nodejs-polars";

const COLUMNS: Readonly<Record<string, { dtype: pl.DataType; physical: pl.DataType; value: fc.Arbitrary<unknown> }>> = {
  text: {
    dtype: pl.Utf8,
    physical: pl.Utf8,
    value: fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("", "a", "é".repeat(40), "x".repeat(5000))),
  },
  float: {
    dtype: pl.Float64,
    physical: pl.Float64,
    value: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(Number.NaN, 1 / 0)),
  },
  small: { dtype: pl.Int16, physical: pl.Int16, value: fc.integer({ min: -32768, max: 32767 }) },
  long: {
    dtype: pl.Int64,
    physical: pl.Int64,
    value: fc.oneof(fc.integer(), fc.integer({ min: -(2 ** 51), max: 2 ** 51 })),
  },
  unsigned: { dtype: pl.UInt32, physical: pl.UInt32, value: fc.nat() },
  flag: { dtype: pl.Bool, physical: pl.Bool, value: fc.boolean() },
  day: { dtype: pl.Date, physical: pl.Int32, value: fc.integer({ min: -50_000, max: 100_000 }) },
  instant: { dtype: pl.Datetime("ms"), physical: pl.Int64, value: fc.integer({ min: -1e12, max: 4e12 }) },
  micros: { dtype: pl.Datetime("us"), physical: pl.Int64, value: fc.integer({ min: -1e15, max: 2e15 }) },
};

/** Frames of six rows and up to `most` columns of every flat dtype, with nulls. */
export function flatFrames(most: number, { without = [] as readonly string[] } = {}): fc.Arbitrary<pl.DataFrame> {
  const kinds = Object.keys(COLUMNS).filter((kind) => !without.includes(kind));
  const column = fc
    .constantFrom(...kinds)
    .chain((kind) =>
      fc.tuple(
        fc.constant(COLUMNS[kind]!),
        fc.array(fc.option(COLUMNS[kind]!.value, { freq: 4 }), { minLength: 6, maxLength: 6 }),
      ),
    );
  return fc
    .array(column, { minLength: 1, maxLength: most })
    .map((made) =>
      pl.DataFrame(
        made.map(([{ dtype, physical }, values], i) => pl.Series(`c${i}`, values as number[], physical).cast(dtype)),
      ),
    );
}
