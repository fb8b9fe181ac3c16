import type pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import { type DTypeName, dtypeName, dtypeOf, type Schema } from "../../schema.ts";
import type { AvroSchema as Avro } from "./codec.ts";

/** The columns of a record schema. Empty for anything else. */
export function columnsOfAvro(text: string): Schema {
  const schema = JSON.parse(text) as { type?: unknown; fields?: { name: string; type: Avro }[] };
  if (schema.type !== "record" || schema.fields === undefined) return {};
  return Object.fromEntries(schema.fields.map(({ name, type }) => [name, dtypeOfAvro(type)]));
}

function dtypeOfAvro(type: Avro): DTypeName {
  if (Array.isArray(type)) {
    const some = (type as Avro[]).filter((one) => one !== "null");
    return some.length === 1 ? dtypeOfAvro(some[0]!) : "Utf8";
  }
  if (typeof type === "string") return PRIMITIVES[type] ?? "Utf8";
  const { type: name, logicalType, items, fields } = type as Record<string, any>;
  switch (logicalType) {
    case "timestamp-millis":
      return "Datetime(ms)";
    case "timestamp-micros":
      return "Datetime(us)";
    case "date":
      return "Date";
  }
  if (name === "array") return `List(${nested(dtypeOfAvro(items))})`;
  if (name === "record")
    return `Struct{${fields.map((field: { name: string; type: Avro }) => `${field.name}:${nested(dtypeOfAvro(field.type))}`).join(",")}}`;
  return typeof name === "string" ? (PRIMITIVES[name] ?? "Utf8") : dtypeOfAvro(name);
}

const PRIMITIVES: Readonly<Record<string, DTypeName>> = {
  int: "Int64",
  long: "Int64",
  float: "Float64",
  double: "Float64",
  boolean: "Boolean",
};

/** Instants and dates inside lists and structs stay as they are written. */
const nested = (dtype: DTypeName): DTypeName =>
  dtype.startsWith("Datetime") ? "Int64" : dtype === "Date" ? "Utf8" : dtype;

/** The record schema of rows; every field may be null. @throws Refusal `NOT_IN_FORMAT` */
export function avroSchemaOf(frame: pl.DataFrame, columns: readonly string[]): Avro {
  return {
    type: "record",
    name: "Row",
    namespace: "millrace",
    fields: columns.map((name) => ({
      name: avroName(name),
      type: ["null", avroOf(name, dtypeName(frame.getColumn(name).dtype), name)],
      default: null,
    })),
  };
}

function avroOf(column: string, dtype: DTypeName, path: string): Avro {
  if (/^U?Int(8|16|32|64)$|^Duration/.test(dtype)) return "long";
  if (/^Float/.test(dtype)) return "double";
  if (dtype === "Utf8" || dtype === "Categorical" || dtype === "Time") return "string";
  if (dtype === "Boolean") return "boolean";
  if (dtype === "Date") return { type: "int", logicalType: "date" };
  if (/^Datetime\(ms/.test(dtype)) return { type: "long", logicalType: "timestamp-millis" };
  if (/^Datetime\(us/.test(dtype)) return { type: "long", logicalType: "timestamp-micros" };
  const inner = (dtypeOf(dtype) as unknown as { inner: any[] | null }).inner;
  if (dtype.startsWith("List")) return { type: "array", items: ["null", avroOf(column, dtypeName(inner![0]), path)] };
  if (dtype.startsWith("Struct"))
    return {
      type: "record",
      name: `${path.replace(/\W/g, "_")}_row`,
      fields: inner!.map((field) => ({
        name: avroName(field.name),
        type: ["null", avroOf(column, dtypeName(field.dtype), `${path}_${field.name}`)],
        default: null,
      })),
    };
  throw new Refusal({
    code: "NOT_IN_FORMAT",
    what: `${dtype} has no form in Avro here`,
    where: `column "${column}"`,
    remedies: ["cast it before the sink, or leave it out with `value: [...]`"],
  });
}

function avroName(name: string): string {
  if (/^[A-Za-z_]\w*$/.test(name)) return name;
  throw new Refusal({
    code: "NOT_IN_FORMAT",
    what: `"${name}" is no name in Avro: letters, digits and _ only`,
    remedies: ["rename the column before the sink"],
  });
}
