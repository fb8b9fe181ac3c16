import pl from "nodejs-polars";
import { MillraceError } from "./error.ts";

/**
 * A dtype by name, as it is written in plans, job folders and error messages:
 * `Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 Utf8 Boolean Binary Date Datetime(ms) Datetime(us) Datetime(ns)
 * Duration(ms) … Time List(Float64) Struct{a:Int64,b:Utf8} Null`. A datetime with a time zone is `Datetime(ms,Europe/Berlin)`.
 */
export type DTypeName = string;

/** Column names and dtypes, in column order. Plain data: it travels in plans and job folders. */
export type Schema = Readonly<Record<string, DTypeName>>;

const SIMPLE: Readonly<Record<DTypeName, pl.DataType>> = {
  Int8: pl.Int8,
  Int16: pl.Int16,
  Int32: pl.Int32,
  Int64: pl.Int64,
  UInt8: pl.UInt8,
  UInt16: pl.UInt16,
  UInt32: pl.UInt32,
  UInt64: pl.UInt64,
  Float32: pl.Float32,
  Float64: pl.Float64,
  Utf8: pl.Utf8,
  Boolean: pl.Bool,
  Date: pl.Date,
  Time: pl.Time,
  Null: pl.Null,
  Categorical: pl.Categorical,
};

const POLARS_NAMES: Readonly<Record<string, DTypeName>> = { String: "Utf8", Bool: "Boolean" };

/** The name of a Polars dtype. */
export function dtypeName(dtype: pl.DataType): DTypeName {
  const inner = (dtype as unknown as { inner: any[] | null }).inner;
  switch (dtype.variant) {
    case "Datetime": {
      const [unit, zone] = inner as [string, string | null | undefined];
      return zone ? `Datetime(${unit},${zone})` : `Datetime(${unit})`;
    }
    case "Duration":
      return `Duration(${inner![0]})`;
    case "List":
      return `List(${dtypeName(inner![0])})`;
    case "Struct":
      return `Struct{${(inner as { name: string; dtype: pl.DataType }[])
        .map((field) => `${field.name}:${dtypeName(field.dtype)}`)
        .join(",")}}`;
    default:
      return POLARS_NAMES[dtype.variant] ?? dtype.variant;
  }
}

/** The Polars dtype of a name. @throws MillraceError `UNKNOWN_DTYPE` */
export function dtypeOf(name: DTypeName): pl.DataType {
  const simple = SIMPLE[name];
  if (simple !== undefined) return simple;
  const [, head, body] = /^(\w+)[({](.*)[)}]$/s.exec(name) ?? [];
  switch (head) {
    case "Datetime": {
      const [unit, zone] = body!.split(",");
      return pl.Datetime(unit as "ms", zone);
    }
    case "Duration":
      return pl.Duration(body as "ms");
    case "List":
      return pl.List(dtypeOf(body!));
    case "Struct":
      return pl.Struct(Object.fromEntries(structFields(body!).map(([field, dtype]) => [field, dtypeOf(dtype)])));
    default:
      throw new MillraceError({
        code: "UNKNOWN_DTYPE",
        what: `"${name}" is not the name of a dtype`,
        remedies: [`use one of ${Object.keys(SIMPLE).join(", ")}, Datetime(ms), Duration(ms), List(…), Struct{…}`],
      });
  }
}

/** `a:Int64,b:Struct{c:Utf8}` as pairs; commas inside brackets belong to the field they are in. */
function structFields(body: string): [string, string][] {
  const fields: [string, string][] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= body.length; i++) {
    const char = body[i];
    if (char === "(" || char === "{") depth++;
    else if (char === ")" || char === "}") depth--;
    else if (char === undefined || (char === "," && depth === 0)) {
      const field = body.slice(start, i);
      const colon = field.indexOf(":");
      if (colon > 0) fields.push([field.slice(0, colon), field.slice(colon + 1)]);
      start = i + 1;
    }
  }
  return fields;
}

/** The schema of a frame. */
export function schemaOf(frame: pl.DataFrame): Schema {
  const { columns, dtypes } = frame;
  return Object.fromEntries(columns.map((name, i) => [name, dtypeName(dtypes[i]!)]));
}

/** A frame of this schema without rows. */
export function emptyFrame(schema: Schema): pl.DataFrame {
  let frame = empties.get(schema);
  if (frame === undefined) {
    frame = buildEmpty(schema);
    empties.set(schema, frame);
  }
  return frame;
}

/** Frames do not change, and building one takes an expression per column, which nodejs-polars makes slowly. */
const empties = new WeakMap<Schema, pl.DataFrame>();

function buildEmpty(schema: Schema): pl.DataFrame {
  // pl.Series(name, [], dtype) builds no nested dtypes and no Null; a cast does
  const none = pl.lit(null as unknown as string);
  const columns = Object.entries(schema).map(([name, dtype]) =>
    (dtype === "Null" ? none : none.cast(dtypeOf(dtype))).alias(name),
  );
  return pl
    .DataFrame({ "": [0] })
    .select(...columns)
    .head(0);
}
