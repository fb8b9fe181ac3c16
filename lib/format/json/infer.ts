import type { RecordColumns } from "../../log/columns.ts";
import type { DTypeName, Schema } from "../../schema.ts";

/** What was seen of one field. */
interface Seen {
  integer: boolean;
  float: boolean;
  boolean: boolean;
  text: boolean;
  list?: Seen;
  fields?: Map<string, Seen>;
}

const nothing = (): Seen => ({ integer: false, float: false, boolean: false, text: false });

/** A whole number by how it is written: `1` is one, `1.0` and `1e3` are not, as the native parser sees it. */
class Whole {}
const WHOLE = new Whole();
const keepWholes = ((_key: string, value: unknown, context: { source?: string }) =>
  typeof value === "number" && /^-?\d{1,18}$/.test(context.source!) ? WHOLE : value) as (
  key: string,
  value: unknown,
) => unknown;

/**
 * A schema that fits every readable record of the sample: whole numbers are Int64 only if all numbers of the field are whole, else Float64;
 * fields of mixed kinds, and fields that are null throughout, are Utf8. Objects become structs, arrays lists. Columns are in
 * order of their first appearance. Records that are no JSON object are left out: they will be bad under any schema.
 */
export function inferSchema(samples: readonly RecordColumns[]): Schema {
  const fields = new Map<string, Seen>();
  for (const { count, values } of samples) {
    for (let i = 0; i < count; i++) {
      if (values.nulls?.[i]) continue;
      const record = parse(values.bytes.subarray(values.starts[i], values.ends[i]));
      if (record !== undefined) note(fields, record);
    }
  }
  return Object.fromEntries([...fields].map(([name, seen]) => [name, dtypeFor(seen)]));
}

function parse(value: Uint8Array): Record<string, unknown> | undefined {
  try {
    const record = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value), keepWholes);
    return typeof record === "object" && record !== null && !Array.isArray(record) ? record : undefined;
  } catch {
    return undefined;
  }
}

function note(fields: Map<string, Seen>, record: Record<string, unknown>): void {
  for (const name of Object.keys(record)) {
    let seen = fields.get(name);
    if (seen === undefined) {
      seen = nothing();
      fields.set(name, seen);
    }
    look(seen, record[name]);
  }
}

function look(seen: Seen, value: unknown): void {
  if (value === null) return;
  if (value === WHOLE) seen.integer = true;
  else if (typeof value === "number") seen.float = true;
  else if (typeof value === "boolean") seen.boolean = true;
  else if (typeof value === "string") seen.text = true;
  else if (Array.isArray(value)) {
    seen.list ??= nothing();
    for (const item of value) look(seen.list, item);
  } else {
    seen.fields ??= new Map();
    note(seen.fields, value as Record<string, unknown>);
  }
}

function dtypeFor(seen: Seen): DTypeName {
  const number = seen.integer || seen.float;
  const kinds = [number, seen.boolean, seen.text, seen.list !== undefined, seen.fields !== undefined];
  if (kinds.filter(Boolean).length !== 1 || seen.text) return "Utf8";
  if (number) return seen.float ? "Float64" : "Int64";
  if (seen.boolean) return "Boolean";
  if (seen.list !== undefined) return `List(${dtypeFor(seen.list)})`;
  const fields = [...seen.fields!];
  // an empty object has no fields to name, and names with these characters cannot be written in a dtype
  if (fields.length === 0 || fields.some(([name]) => name === "" || /[:,(){}]/.test(name))) return "Utf8";
  return `Struct{${fields.map(([name, field]) => `${name}:${dtypeFor(field)}`).join(",")}}`;
}
