import pl from "nodejs-polars";
import { Refusal } from "./error.ts";
import type { DTypeName, Schema } from "./schema.ts";

const SIMPLE: Readonly<Record<string, pl.DataType>> = {
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
};

type TimeUnit = "ms" | "us" | "ns";

/** A {@link DTypeName} taken apart. */
export type DTypeTree =
  | { readonly kind: "simple"; readonly name: string }
  | { readonly kind: "Datetime"; readonly unit: TimeUnit }
  | { readonly kind: "Duration"; readonly unit: TimeUnit }
  | { readonly kind: "List"; readonly inner: DTypeTree }
  | { readonly kind: "Struct"; readonly fields: readonly { readonly name: string; readonly dtype: DTypeTree }[] };

/**
 * Takes a dtype name apart. Grammar: `name | Datetime(unit) | Duration(unit) | List(dtype) | Struct{field:dtype,…}`;
 * a field's name ends at its first `:`.
 * @throws {Refusal} `UNKNOWN_DTYPE`
 */
export function parseDType(name: DTypeName): DTypeTree {
  let at = 0;
  const fail = (): never => {
    throw new Refusal({ code: "UNKNOWN_DTYPE", what: `${name} is not the name of a dtype.` });
  };
  const eat = (text: string) => {
    const met = name.startsWith(text, at);
    if (met) at += text.length;
    return met;
  };
  const expect = (text: string) => {
    if (!eat(text)) fail();
  };
  const one = (): DTypeTree => {
    const word = /\w+/y;
    word.lastIndex = at;
    const kind = word.exec(name)?.[0] ?? fail();
    at += kind.length;
    if (kind === "Datetime" || kind === "Duration") {
      expect("(");
      const unit = (["ms", "us", "ns"] as const).find((unit) => eat(unit)) ?? fail();
      expect(")");
      return { kind, unit };
    }
    if (kind === "List") {
      expect("(");
      const inner = one();
      expect(")");
      return { kind, inner };
    }
    if (kind === "Struct") {
      const fields: { name: string; dtype: DTypeTree }[] = [];
      expect("{");
      while (!eat("}")) {
        if (fields.length > 0) expect(",");
        const colon = name.indexOf(":", at);
        if (colon < 0) fail();
        const field = name.slice(at, colon);
        at = colon + 1;
        fields.push({ name: field, dtype: one() });
      }
      return { kind, fields };
    }
    if (!(kind in SIMPLE) && kind !== "Null" && kind !== "Binary") fail();
    return { kind: "simple", name: kind };
  };
  const tree = one();
  if (at !== name.length) fail();
  return tree;
}

/**
 * The Polars dtype of a name.
 * @throws {Refusal} `UNKNOWN_DTYPE`; also for `Binary`, which nodejs-polars cannot build
 */
export function polarsDType(name: DTypeName): pl.DataType {
  return toPolars(parseDType(name));
}

function toPolars(tree: DTypeTree): pl.DataType {
  if (tree.kind === "simple") {
    if (tree.name === "Null") return pl.Null as unknown as pl.DataType;
    const dtype = SIMPLE[tree.name];
    if (dtype === undefined) {
      throw new Refusal({
        code: "UNKNOWN_DTYPE",
        what: `Columns of dtype ${tree.name} cannot be built by nodejs-polars.`,
        remedies: ["cast it to Utf8 before it is kept"],
      });
    }
    return dtype;
  }
  if (tree.kind === "Datetime") return pl.Datetime(tree.unit) as unknown as pl.DataType;
  if (tree.kind === "Duration") return pl.DataType.Duration(tree.unit);
  if (tree.kind === "List") return pl.List(toPolars(tree.inner)) as unknown as pl.DataType;
  return pl.Struct(
    Object.fromEntries(tree.fields.map((field) => [field.name, toPolars(field.dtype)])),
  ) as unknown as pl.DataType;
}

/** A frame of no rows with exactly these columns and dtypes. (`pl.Series(name, [], dtype)` builds no nested dtypes; a cast does.) */
export function emptyFrame(schema: Schema): pl.DataFrame {
  const columns = Object.entries(schema).map(([name, dtype]) => {
    const none = pl.lit(null as unknown as string);
    return (dtype === "Null" ? none : none.cast(polarsDType(dtype))).alias(name);
  });
  return pl
    .DataFrame({ "": [0] })
    .select(...columns)
    .head(0);
}
