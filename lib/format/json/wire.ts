import { Refusal } from "../../error.ts";
import { type DTypeName, dtypeOf, type Schema } from "../../schema.ts";

/**
 * How a column is written in JSON, before it becomes its dtype. These are the only dtypes that the native parser is asked for;
 * everything else is one of them, converted afterwards ({@link fromWire} in `convert.ts`).
 */
export type Wire =
  | { readonly kind: "Int64" | "Float64" | "Utf8" | "Boolean" }
  | { readonly kind: "List"; readonly inner: Wire }
  | { readonly kind: "Struct"; readonly fields: ReadonlyMap<string, Wire> };

/** Column name to wire form, in schema order. */
export type WireSchema = ReadonlyMap<string, Wire>;

/** One way to write instants in a whole batch: all integers, or text (which holds numbers too). */
export type InstantForm = "Int64" | "Utf8";

/**
 * The wire forms of these columns of a schema.
 * @throws Refusal `DTYPE_NOT_IN_JSON` for a dtype that JSON has no form for here
 */
export function wireSchema(schema: Schema, columns: readonly string[], instants: InstantForm): WireSchema {
  return new Map(columns.map((name) => [name, wireOf(name, schema[name]!, instants)]));
}

function wireOf(column: string, dtype: DTypeName, instants: InstantForm): Wire {
  if (/^U?Int(8|16|32)$|^Int64$|^Duration\(/.test(dtype)) return { kind: "Int64" };
  if (dtype === "Float64" || dtype === "Float32") return { kind: "Float64" };
  if (dtype === "Utf8" || dtype === "Date" || dtype === "UInt64") return { kind: "Utf8" };
  if (dtype === "Boolean") return { kind: "Boolean" };
  if (/^Datetime\((s|ms|us|ns)\)$/.test(dtype)) return { kind: instants };
  if (/^(List|Struct)/.test(dtype)) return nestedWire(column, dtypeOf(dtype));
  throw notInJson(column, dtype);
}

function nestedWire(column: string, dtype: ReturnType<typeof dtypeOf>): Wire {
  const inner = (dtype as unknown as { inner: any[] | null }).inner;
  switch (dtype.variant) {
    case "List":
      return { kind: "List", inner: nestedWire(column, inner![0]) };
    case "Struct":
      return {
        kind: "Struct",
        fields: new Map(inner!.map((field) => [field.name as string, nestedWire(column, field.dtype)])),
      };
    case "Int64":
    case "Float64":
      return { kind: dtype.variant };
    case "Utf8":
    case "String":
      return { kind: "Utf8" };
    case "Bool":
      return { kind: "Boolean" };
    default:
      throw notInJson(column, `${dtype.variant} inside a list or struct`);
  }
}

function notInJson(column: string, dtype: string): Refusal {
  return new Refusal({
    code: "DTYPE_NOT_IN_JSON",
    what: `JSON values are not read as ${dtype}`,
    where: `column "${column}" of the schema`,
    remedies: ["give the column as Utf8, Int64, Float64 or Boolean and cast it in the program"],
  });
}

export const isNested = (wire: Wire): boolean => wire.kind === "List" || wire.kind === "Struct";
