import pl from "nodejs-polars";
import { dtypeOf, type Schema } from "../../schema.ts";
import { type DTypeTree, parseDType } from "../dtype-tree.ts";

/**
 * How columns are kept in DuckDB. Everything readable keeps its meaning (a Datetime is a TIMESTAMP); what DuckDB would round is
 * kept as the integer behind it: a Duration in its unit, a Time in nanoseconds, because INTERVAL and TIME know microseconds only.
 */
const DUCK_NAMES: Readonly<Record<string, string>> = {
  Int8: "TINYINT",
  Int16: "SMALLINT",
  Int32: "INTEGER",
  Int64: "BIGINT",
  UInt8: "UTINYINT",
  UInt16: "USMALLINT",
  UInt32: "UINTEGER",
  UInt64: "UBIGINT",
  Float32: "FLOAT",
  Float64: "DOUBLE",
  Utf8: "VARCHAR",
  Boolean: "BOOLEAN",
  Date: "DATE",
  Time: "BIGINT",
  Null: "INTEGER",
};

/** The DuckDB type that holds a dtype exactly. */
export function duckType(tree: DTypeTree): string {
  switch (tree.kind) {
    case "simple":
      return DUCK_NAMES[tree.name] as string;
    case "Duration":
      return "BIGINT";
    case "Datetime":
      return tree.unit === "ns" ? "TIMESTAMP_NS" : "TIMESTAMP";
    case "List":
      return `${duckType(tree.inner)}[]`;
    case "Struct":
      return `STRUCT(${tree.fields.map((field) => `${quoted(field.name)} ${duckType(field.dtype)}`).join(", ")})`;
  }
}

export const quoted = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`;
export const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Rows as they go into a Parquet file for DuckDB: durations and times as integers, columns by position (`c0`, `c1`, …). */
export function toDuck(frame: pl.DataFrame, schema: Schema): pl.DataFrame {
  return frame.select(
    ...Object.entries(schema).map(([name, dtype], i) => {
      const tree = parseDType(dtype);
      const column = pl.col(name);
      return (holdsIntegers(tree) ? column.cast(parquetDType(tree)) : column).alias(`c${i}`);
    }),
  );
}

/** Rows as they come back from DuckDB, with the names and dtypes of the schema. */
export function fromDuck(frame: pl.DataFrame, schema: Schema): pl.DataFrame {
  return frame.select(
    ...Object.entries(schema).map(([name, dtype], i) =>
      dtype === "Null"
        ? pl.lit(null as unknown as string).alias(name) // there is no cast to Null
        : pl.col(`c${i}`).cast(dtypeOf(dtype)).alias(name),
    ),
  );
}

function holdsIntegers(tree: DTypeTree): boolean {
  if (tree.kind === "List") return holdsIntegers(tree.inner);
  if (tree.kind === "Struct") return tree.fields.some((field) => holdsIntegers(field.dtype));
  return tree.kind === "Duration" || (tree.kind === "simple" && tree.name === "Time");
}

function parquetDType(tree: DTypeTree): pl.DataType {
  if (tree.kind === "List") return pl.List(parquetDType(tree.inner)) as unknown as pl.DataType;
  if (tree.kind === "Struct")
    return pl.Struct(
      Object.fromEntries(tree.fields.map((field) => [field.name, parquetDType(field.dtype)])),
    ) as unknown as pl.DataType;
  if (tree.kind === "Duration" || (tree.kind === "simple" && tree.name === "Time")) return pl.Int64;
  return tree.kind === "Datetime" ? (pl.Datetime(tree.unit) as unknown as pl.DataType) : dtypeOf(tree.name);
}
