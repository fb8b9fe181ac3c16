import pl from "nodejs-polars";
import { dtypeOf, emptyFrame, type Schema } from "../../schema.ts";
import type { StateAnswer } from "../../state/duckdb/state-query.ts";

const DTYPES: Readonly<Record<string, string>> = {
  BOOLEAN: "Boolean",
  TINYINT: "Int8",
  SMALLINT: "Int16",
  INTEGER: "Int32",
  BIGINT: "Int64",
  // what a sum of integers is; text where it does not fit into 64 bits
  HUGEINT: "Int64",
  UTINYINT: "UInt8",
  USMALLINT: "UInt16",
  UINTEGER: "UInt32",
  UBIGINT: "UInt64",
  FLOAT: "Float32",
  DOUBLE: "Float64",
  VARCHAR: "Utf8",
  TIMESTAMP: "Datetime(us)",
  TIMESTAMP_NS: "Datetime(ns)",
  DATE: "Date",
};

const LARGE = 2n ** 63n;

/**
 * An answer as a frame: a DuckDB TIMESTAMP is `Datetime(us)`, a DECIMAL `Float64`, a HUGEINT `Int64` (text where a value is larger), infinite dates and those of other ages text; lists, structs and
 * every other type are text: JSON, or as DuckDB writes it.
 */
export function answerFrame({ columns, types, rows }: StateAnswer): pl.DataFrame {
  const names = distinct(columns);
  const schema: Record<string, string> = {};
  const cells: Record<string, pl.Series> = {};
  for (const [i, name] of names.entries()) {
    const values = rows.map((row) => row[i] ?? null);
    const dtype = dtypeFor(types[i]!, values);
    schema[name] = dtype;
    cells[name] = column(name, dtype, values);
  }
  return rows.length === 0 ? emptyFrame(schema as Schema) : pl.DataFrame(cells);
}

/** A frame has no two columns of one name: the second `n` is `n_2`. */
function distinct(columns: readonly string[]): string[] {
  const taken = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let n = 2; taken.has(name); n++) name = `${column}_${n}`;
    taken.add(name);
    return name;
  });
}

function dtypeFor(type: string, values: readonly unknown[]): string {
  if (type.startsWith("DECIMAL")) return "Float64";
  if (type === "HUGEINT" && values.some((value) => value !== null && !fits(BigInt(value as string)))) return "Utf8";
  const dtype = DTYPES[type] ?? "Utf8";
  const isTime = dtype.startsWith("Date");
  return isTime && values.some((value) => value !== null && !INSTANT.test(value as string)) ? "Utf8" : dtype;
}

const INSTANT = /^(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?)?$/;

/** DuckDB's text of a date or timestamp as days, micro- or nanoseconds since the epoch. */
function instant(text: string, dtype: string): bigint {
  const [, date, time = "00:00:00", fraction = ""] = INSTANT.exec(text)!;
  const seconds = BigInt(Date.parse(`${date}T${time}Z`)) / 1000n;
  if (dtype === "Date") return seconds / 86_400n;
  const digits = dtype === "Datetime(ns)" ? 9 : 6;
  return seconds * 10n ** BigInt(digits) + BigInt(fraction.padEnd(digits, "0").slice(0, digits));
}

const fits = (value: bigint) => value >= -LARGE && value < LARGE;

function column(name: string, dtype: string, values: readonly unknown[]): pl.Series {
  switch (dtype) {
    case "Utf8":
      return pl.Series(
        name,
        values.map((value) => (value === null || typeof value === "string" ? value : JSON.stringify(value))),
        pl.Utf8,
      );
    case "Boolean":
      return pl.Series(name, [...values], pl.Bool);
    case "Float32":
    case "Float64": // NaN and the infinities are text in JSON
      return pl
        .Series(
          name,
          values.map((value) => (value === null ? null : Number(value))),
          pl.Float64,
        )
        .cast(dtypeOf(dtype));
    case "Datetime(us)":
    case "Datetime(ns)":
    case "Date": {
      const counts = values.map((value) => (value === null ? null : String(instant(value as string, dtype))));
      const integers = pl.Series(name, counts, pl.Utf8).cast(pl.Int64);
      return (dtype === "Date" ? integers.cast(pl.Int32) : integers).cast(dtypeOf(dtype));
    }
    default: {
      // by text: a 64-bit integer does not fit a JavaScript number
      const text = values.map((value) => (value === null ? null : String(value)));
      return pl.Series(name, text, pl.Utf8).cast(dtypeOf(dtype));
    }
  }
}
