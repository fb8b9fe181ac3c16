import fc from "fast-check";
import pl from "nodejs-polars";
import { dtypeOf, type Schema } from "../../lib/schema.ts";

const INTEGERS: Record<string, [bigint, bigint]> = {
  Int8: [-128n, 127n],
  Int16: [-32768n, 32767n],
  Int32: [-(2n ** 31n), 2n ** 31n - 1n],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  UInt8: [0n, 255n],
  UInt16: [0n, 65535n],
  UInt32: [0n, 2n ** 32n - 1n],
  UInt64: [0n, 2n ** 64n - 1n],
  Date: [-100_000n, 100_000n],
  "Datetime(ms)": [-8_640_000_000_000_000n, 8_640_000_000_000_000n],
  "Datetime(us)": [-(2n ** 62n), 2n ** 62n],
  "Datetime(ns)": [-(2n ** 62n), 2n ** 62n],
  "Duration(ms)": [-(2n ** 62n), 2n ** 62n],
  "Duration(us)": [-(2n ** 62n), 2n ** 62n],
  "Duration(ns)": [-(2n ** 63n), 2n ** 63n - 1n],
  Time: [0n, 86_399_999_999_999n],
};

const LEAVES = [...Object.keys(INTEGERS), "Float32", "Float64", "Utf8", "Boolean"];

/** A column of `count` values of this dtype, some of them null. */
function column(name: string, dtype: string, count: number): fc.Arbitrary<pl.Series> {
  const nulls = fc.array(fc.boolean(), { minLength: count, maxLength: count });
  const list = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: count, maxLength: count });
  const withNulls = (values: fc.Arbitrary<pl.Series>) =>
    fc.tuple(values, nulls).map(([series, mask]) =>
      pl
        .DataFrame([series.alias("v"), pl.Series("m", mask, pl.Bool)])
        .select(
          pl
            .when(pl.col("m"))
            .then(pl.lit(null as unknown as string))
            .otherwise(pl.col("v"))
            .cast(dtypeOf(dtype))
            .alias(name),
        )
        .getColumn(name),
    );
  const range = INTEGERS[dtype];
  if (range !== undefined) {
    const [min, max] = range;
    const physical = dtype === "UInt64" ? pl.UInt64 : pl.Int64;
    const edge = fc.constantFrom(min, max, 0n > min ? 0n : min);
    return withNulls(
      list(fc.oneof(fc.bigInt({ min, max }), edge)).map((values) =>
        pl
          .Series(name, physical === pl.UInt64 ? BigUint64Array.from(values) : BigInt64Array.from(values), physical)
          .cast(dtypeOf(dtype)),
      ),
    );
  }
  switch (dtype) {
    case "Float64":
      return withNulls(list(fc.double()).map((values) => pl.Series(name, Float64Array.from(values), pl.Float64)));
    case "Float32":
      return withNulls(list(fc.float()).map((values) => pl.Series(name, Float32Array.from(values), pl.Float32)));
    case "Utf8":
      // any Unicode, quotes, newlines, NULs
      return withNulls(list(fc.string({ unit: "binary" })).map((values) => pl.Series(name, values, pl.Utf8)));
    case "Boolean":
      return withNulls(list(fc.boolean()).map((values) => pl.Series(name, values, pl.Bool)));
    default:
      throw new TypeError(dtype);
  }
}

const struct = (frame: pl.DataFrame, name: string) =>
  frame.select(pl.struct(frame.columns.map((c) => pl.col(c))).alias(name)).getColumn(name);

/** A frame with a column of every kind: leaves, lists (with empty and null ones), structs, and lists of structs. */
export function anyFrame(count: number): fc.Arbitrary<{ schema: Schema; frame: pl.DataFrame }> {
  const leaf = fc.constantFrom(...LEAVES);
  return fc
    .record({
      leaves: fc.array(leaf, { minLength: 1, maxLength: 4 }),
      inner: leaf,
      fields: fc.array(leaf, { minLength: 1, maxLength: 2 }),
    })
    .chain(({ leaves, inner, fields }) => {
      const flat = leaves.map((dtype, i) => ({ name: i === 0 ? "key" : `Column ${i}`, dtype }));
      const nested = { list: `List(${inner})`, record: `Struct{${fields.map((f, i) => `f${i}:${f}`).join(",")}}` };
      const schema: Schema = {
        ...Object.fromEntries(flat.map(({ name, dtype }) => [name, dtype])),
        ...nested,
        records: `List(${nested.record})`,
        nothing: "Null",
      };
      return fc
        .record({
          flat: fc.tuple(...flat.map(({ name, dtype }) => column(name, dtype, count))),
          items: column("list", inner, 2 * count),
          fields: fc.tuple(...fields.map((dtype, i) => column(`f${i}`, dtype, count))),
          elements: fc.tuple(...fields.map((dtype, i) => column(`f${i}`, dtype, 2 * count))),
          homes: fc.array(fc.nat(count - 1), { minLength: 2 * count, maxLength: 2 * count }),
          missing: fc.array(fc.boolean(), { minLength: count, maxLength: count }),
        })
        .map((parts) => {
          const homes = pl.Series("home", parts.homes, pl.Int64);
          const lists = (values: pl.Series) => pl.DataFrame([homes, values]).groupBy("home").agg(pl.col(values.name));
          const base = pl.DataFrame([
            ...parts.flat,
            struct(pl.DataFrame(parts.fields), "record"),
            pl.Series(
              "home",
              Array.from({ length: count }, (_, i) => i),
              pl.Int64,
            ),
            pl.Series("missing", parts.missing, pl.Bool),
          ]);
          const whole = base
            .join(lists(parts.items), { on: "home", how: "left" })
            .join(lists(struct(pl.DataFrame(parts.elements), "records")), { on: "home", how: "left" })
            .withColumns(
              pl.lit(null as unknown as string).alias("nothing"),
              // lists that are empty rather than null
              pl
                .when(pl.col("missing").and(pl.col("list").isNull()))
                .then(pl.col("list").lst.head(0))
                .otherwise(pl.col("list"))
                .alias("list"),
            );
          return { schema, frame: whole.select(...Object.keys(schema)) };
        });
    });
}

/** Every cell as text that tells -0 from 0, NaN from null and nanoseconds from microseconds; rows in a fixed order. */
export function cells(frame: pl.DataFrame, schema: Schema): string[] {
  return rowsAsText(frame, schema).sort();
}

function rowsAsText(frame: pl.DataFrame, schema: Schema): string[] {
  const columns = Object.entries(schema).map(([name, dtype]) => cellsAsText(frame.getColumn(name), dtype));
  return Array.from({ length: frame.height }, (_, i) => columns.map((cells) => cells[i]).join(" | "));
}

function cellsAsText(series: pl.Series, dtype: string): string[] {
  if (dtype === "Null") return Array.from({ length: series.length }, () => "null");
  if (dtype.startsWith("List(")) {
    const inner = dtype.slice(5, -1);
    const frame = pl.DataFrame([
      series.alias("l"),
      pl.Series(
        "i",
        Array.from({ length: series.length }, (_, i) => i),
        pl.Int64,
      ),
    ]);
    const lengths = frame.select(pl.col("l").lst.lengths().cast(pl.Float64).alias("n")).getColumn("n").toArray() as (
      | number
      | null
    )[];
    const items = cellsAsText(
      frame.filter(pl.col("l").lst.lengths().gt(0)).select(pl.col("l").explode().alias("l")).getColumn("l"),
      inner,
    );
    let at = 0;
    return lengths.map((n) => {
      if (n === null) return "null";
      at += n;
      return `[${items.slice(at - n, at).join(", ")}]`;
    });
  }
  if (dtype.startsWith("Struct{")) {
    const fields = dtype
      .slice(7, -1)
      .split(/,(?=f\d+:)/)
      .map((field) => field.split(/:(.*)/s) as [string, string]);
    const frame = pl.DataFrame([series.alias("s")]);
    const none = frame.select(pl.col("s").isNull().alias("n")).getColumn("n").toArray();
    const parts = fields.map(([name, inner]) =>
      cellsAsText(frame.select(pl.col("s").struct.field(name).alias(name)).getColumn(name), inner),
    );
    return none.map((isNull, i) => (isNull ? "null" : `{${parts.map((part) => part[i]).join(", ")}}`));
  }
  const leaf = /^(Date|Time|Duration)/.test(dtype) ? series.cast(pl.Int64) : series;
  return leaf
    .cast(pl.Utf8)
    .toArray()
    .map((value) => (value === null ? "null" : JSON.stringify(value)));
}
