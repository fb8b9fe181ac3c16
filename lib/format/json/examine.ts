import type { Wire, WireSchema } from "./wire.ts";

/** A record read one by one: the same record with only the wanted fields, as the native parser reads it without loss; or why it is bad. */
export type Examined =
  | { readonly line: string; readonly unknownFields: number }
  | { readonly line?: undefined; readonly reason: string };

class DoesNotFit extends Error {}
/** The plain parse has lost what is needed: the digits of a number. */
const NEEDS_SOURCE = Symbol("needs source");

/** A number with its digits. */
class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads one value by `JSON.parse`, exactly: the last of repeated fields counts, integers keep all their digits. Slow (about 1 M/s);
 * it judges the records that the native parser refuses or may have misread.
 * @param known every field of the schema; `wires` has those wanted
 */
export function examine(value: Uint8Array, wires: WireSchema, known: ReadonlySet<string>): Examined {
  let text: string;
  try {
    text = strictUtf8.decode(value);
  } catch {
    return { reason: "not UTF-8" };
  }
  if (text.charCodeAt(0) === 0xfeff) return { reason: "not JSON: starts with a byte order mark" };
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch (error) {
    return { reason: `not JSON: ${brief((error as Error).message, 120)}` };
  }
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    return { reason: `${kindOf(record)} where a JSON object is expected` };
  }
  try {
    return rewrite(record as Fields, wires, known);
  } catch (error) {
    if (error !== NEEDS_SOURCE) return badOrThrow(error);
  }
  try {
    return rewrite(JSON.parse(text, keepDigits), wires, known);
  } catch (error) {
    return badOrThrow(error);
  }
}

type Fields = Record<string, unknown>;

function badOrThrow(error: unknown): Examined {
  if (error instanceof DoesNotFit) return { reason: error.message };
  throw error;
}

const keepDigits = ((_key: string, value: unknown, context: { source?: string }) =>
  typeof value === "number" ? new Digits(context.source!) : value) as (key: string, value: unknown) => unknown;

function rewrite(record: Fields, wires: WireSchema, known: ReadonlySet<string>): Examined {
  const unknown = { count: 0 };
  const line = rewriteFields(record, wires, known, "", unknown);
  return { line, unknownFields: unknown.count };
}

function rewriteFields(
  record: Fields,
  wires: ReadonlyMap<string, Wire>,
  known: { has(name: string): boolean },
  path: string,
  unknown: { count: number },
): string {
  const parts: string[] = [];
  for (const [name, wire] of wires) {
    // a field named __proto__ is a field like any other, and toString is none unless the record has it
    const value = Object.hasOwn(record, name) ? record[name] : undefined;
    if (value === undefined || value === null) continue;
    parts.push(`${JSON.stringify(name)}:${rewriteValue(value, wire, path + name, unknown)}`);
  }
  for (const name in record) if (!known.has(name) && record[name] !== null) unknown.count++;
  return `{${parts.join(",")}}`;
}

function rewriteValue(value: unknown, wire: Wire, path: string, unknown: { count: number }): string {
  switch (wire.kind) {
    case "Int64":
      return rewriteInteger(value, path);
    case "Float64":
      return rewriteFloat(value, path);
    case "Boolean":
      if (typeof value !== "boolean") throw misfit(path, value, "a Boolean");
      return String(value);
    case "Utf8":
      return rewriteText(value, path);
    case "List":
      if (!Array.isArray(value)) throw misfit(path, value, "a list");
      return `[${value.map((item, i) => (item === null ? "null" : rewriteValue(item, wire.inner, `${path}[${i}]`, unknown))).join(",")}]`;
    case "Struct":
      if (typeof value !== "object" || Array.isArray(value) || value instanceof Digits) {
        throw misfit(path, value, "an object");
      }
      return rewriteFields(value as Fields, wire.fields, wire.fields, `${path}.`, unknown);
  }
}

function rewriteInteger(value: unknown, path: string): string {
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return String(value + 0 || 0);
    throw NEEDS_SOURCE;
  }
  if (!(value instanceof Digits)) throw misfit(path, value, "an Int64");
  const number = Number(value.text);
  if (!Number.isInteger(number)) throw misfit(path, value, "an Int64");
  // digits alone are exact; with a fraction or an exponent (1.0, 1e3) it is the double that counts
  const integer = /^-?\d+$/.test(value.text) ? BigInt(value.text) : BigInt(number);
  if (BigInt.asIntN(64, integer) !== integer) throw new DoesNotFit(`${path}: ${brief(value.text)} is outside Int64`);
  return String(integer);
}

function rewriteFloat(value: unknown, path: string): string {
  const number = value instanceof Digits ? Number(value.text) : value;
  if (typeof number !== "number") throw misfit(path, value, "a Float64");
  if (Number.isFinite(number)) return Object.is(number, -0) ? "-0.0" : String(number);
  if (!(value instanceof Digits)) throw NEEDS_SOURCE;
  throw new DoesNotFit(`${path}: ${brief(value.text)} is outside Float64`);
}

/** Text holds anything: a number as Polars writes it, `true`, an object as compact JSON. */
function rewriteText(value: unknown, path: string): string {
  if (typeof value === "string") {
    if (!value.isWellFormed()) throw new DoesNotFit(`${path}: not Unicode text (half of a surrogate pair)`);
    return JSON.stringify(value);
  }
  if (typeof value === "number") throw NEEDS_SOURCE;
  // as it stands, so that the native parser makes the same text of it as in the batches it reads by itself
  if (value instanceof Digits) return nativelyReadable(value.text) ? value.text : JSON.stringify(value.text);
  if (typeof value === "boolean") return `"${value}"`;
  const text = JSON.stringify(value, (_key, item) => (item instanceof Digits ? Number(item.text) : item));
  // JSON.stringify writes half of a surrogate pair as \udxxx; inside this text that would be a valid escape, so nothing is lost
  return JSON.stringify(text);
}

/** The native parser has no integers beyond 128 bits and no floats beyond a double. */
const nativelyReadable = (digits: string): boolean => digits.length <= 32 && Number.isFinite(Number(digits));

const misfit = (path: string, value: unknown, expected: string): DoesNotFit =>
  new DoesNotFit(`${path}: ${show(value)} is not ${expected}`);

function show(value: unknown): string {
  if (value instanceof Digits) return brief(value.text);
  if (typeof value === "object" && value !== null) return kindOf(value);
  return brief(JSON.stringify(value));
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a JSON array";
  return typeof value === "object" ? "a JSON object" : `a JSON ${typeof value}`;
}

const brief = (text: string, length = 60): string => (text.length <= length ? text : `${text.slice(0, length)}…`);
