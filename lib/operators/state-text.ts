import { MillraceError } from "../error.ts";

/**
 * A state object as JSON text and back, exact: what JSON lacks travels as `{"$date": ms}`, `{"$number": "NaN"}`, `{"$bigint": "1"}`,
 * `{"$map": [[k, v]]}`, `{"$set": [v]}`; properties that are undefined are left out.
 * @throws MillraceError `STATE_NOT_DATA` for functions, class instances and objects that hold themselves
 */
export function stateText(value: unknown, where: string): string {
  return JSON.stringify(encode(value, where, "state", 0)) ?? "null";
}

/** The state object of a text, new at every call. */
export function stateOf(text: string): unknown {
  return JSON.parse(text, (_, value) => {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
    const names = Object.keys(value);
    if (names.length !== 1) return value;
    const held = value[names[0]!];
    switch (names[0]) {
      case "$date":
        return new Date(held === null ? Number.NaN : held);
      case "$number":
        return Number(held);
      case "$bigint":
        return BigInt(held);
      case "$map":
        return new Map(held);
      case "$set":
        return new Set(held);
      default:
        return value;
    }
  });
}

const DEEPEST = 64;

function encode(value: unknown, where: string, path: string, depth: number): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return value;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $bigint: String(value) };
    case "object":
      break;
    default:
      throw notData(where, path, `a ${typeof value}`);
  }
  if (value === null) return null;
  if (depth > DEEPEST) throw notData(where, path, "deeper than 64 levels, or holds itself");
  const inner = (item: unknown, name: string | number) => encode(item, where, `${path}.${name}`, depth + 1);
  if (Array.isArray(value)) return value.map((item, i) => inner(item, i) ?? null);
  if (value instanceof Date) return { $date: value.getTime() };
  if (value instanceof Map) return { $map: [...value].map(([key, item], i) => [inner(key, i), inner(item, i)]) };
  if (value instanceof Set) return { $set: [...value].map(inner) };
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null)
    throw notData(where, path, `an object of class ${prototype.constructor?.name}`);
  if (!Object.isExtensible(value) && Object.keys(value).some((name) => !("value" in property(value, name))))
    throw notData(where, path, "the row itself, which changes from row to row: keep a copy, { ...row }");
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, inner(item, name)]));
}

function property(value: object, name: string): PropertyDescriptor {
  return Object.getOwnPropertyDescriptor(value, name)!;
}

function notData(where: string, path: string, what: string): MillraceError {
  return new MillraceError({
    code: "STATE_NOT_DATA",
    what: `${path} is ${what}; it could not be kept over a restart`,
    where,
    remedies: ["keep plain data: numbers, text, booleans, dates, lists, objects, Map and Set of these"],
  });
}
