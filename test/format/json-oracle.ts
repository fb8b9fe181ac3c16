import type pl from "nodejs-polars";

/** What a record should become, worked out by `JSON.parse` alone: a row, or nothing (it is bad). */
export type Expected = Readonly<Record<string, unknown>> | undefined;

/** The digits of a number, which JSON.parse would round. */
export class Digits {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const BAD = Symbol("bad");

/** @param columns name -> Int64, Float64, Utf8, Boolean, List(Float64) or Struct{p:Int64} */
export function expectedRow(value: Uint8Array, columns: Readonly<Record<string, string>>): Expected {
  let record: any;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
    record = JSON.parse(text, ((_key: string, each: unknown, context: { source: string }) =>
      typeof each === "number" ? new Digits(context.source) : each) as never);
  } catch {
    return undefined;
  }
  if (typeof record !== "object" || record === null || Array.isArray(record) || record instanceof Digits)
    return undefined;
  const row: Record<string, unknown> = {};
  for (const [name, dtype] of Object.entries(columns)) {
    const cell = Object.hasOwn(record, name) ? expectedCell(record[name], dtype) : null;
    if (cell === BAD) return undefined;
    row[name] = cell;
  }
  return row;
}

/** Fields with a value that are none of these columns; nested ones too. */
export function unknownFields(value: Uint8Array, columns: Readonly<Record<string, string>>): number {
  const record = JSON.parse(Buffer.from(value).toString("utf8"));
  let count = 0;
  for (const [name, each] of Object.entries(record)) {
    if (!Object.hasOwn(columns, name)) count += Number(each !== null);
    else if (columns[name]!.startsWith("Struct") && each !== null)
      for (const [field, inner] of Object.entries(each as object)) if (field !== "p" && inner !== null) count++;
  }
  return count;
}

function expectedCell(cell: any, dtype: string): unknown {
  if (cell === null) return null;
  switch (dtype) {
    case "Int64": {
      if (!(cell instanceof Digits) || !Number.isInteger(Number(cell.text))) return BAD;
      const integer = /^-?\d+$/.test(cell.text) ? BigInt(cell.text) : BigInt(Number(cell.text));
      return integer >= -(2n ** 63n) && integer < 2n ** 63n ? integer : BAD;
    }
    case "Float64":
      return cell instanceof Digits && Number.isFinite(Number(cell.text)) ? Number(cell.text) : BAD;
    case "Boolean":
      return typeof cell === "boolean" ? cell : BAD;
    case "Utf8":
      if (typeof cell === "string") return cell.isWellFormed() ? cell : BAD;
      return { json: cell };
    case "List(Float64)": {
      if (!Array.isArray(cell)) return BAD;
      const items = cell.map((item) => expectedCell(item, "Float64"));
      return items.includes(BAD) ? BAD : items;
    }
    case "Struct{p:Int64}": {
      if (typeof cell !== "object" || Array.isArray(cell) || cell instanceof Digits) return BAD;
      const p = Object.hasOwn(cell, "p") ? expectedCell(cell.p, "Int64") : null;
      return p === BAD ? BAD : { p };
    }
    default:
      throw new Error(dtype);
  }
}

/** The rows of a frame in the oracle's terms: Int64 as bigint. */
export function rowsOf(
  frame: pl.DataFrame,
  columns: Readonly<Record<string, string>>,
  integers: pl.DataFrame,
): Expected[] {
  const cells = Object.entries(columns).map(([name, dtype]) => {
    const exact = dtype === "Int64" || dtype.startsWith("Struct");
    const values = (exact ? integers : frame).getColumn(name).toArray() as any[];
    // a null struct reaches JavaScript as a struct of nulls
    const nulls = frame.getColumn(name).isNull().toArray() as boolean[];
    return values.map((value, i) => {
      if (nulls[i]) return null;
      if (dtype === "Int64") return BigInt(value);
      if (dtype.startsWith("Struct")) return { p: value.p === null ? null : BigInt(value.p) };
      if (dtype.startsWith("List")) return [...value];
      return value;
    });
  });
  const names = Object.keys(columns);
  return Array.from({ length: frame.height }, (_, row) =>
    Object.fromEntries(names.map((name, i) => [name, cells[i]![row]])),
  );
}

/** Whether a cell is what it should be. -0 and 0 are the same number; text made of a number or object says the same in JSON. */
export function sameCell(actual: unknown, expected: unknown): boolean {
  if (typeof expected === "number") return actual === expected;
  if (Array.isArray(expected))
    return (
      Array.isArray(actual) &&
      actual.length === expected.length &&
      actual.every((item, i) => sameCell(item, expected[i]))
    );
  if (expected !== null && typeof expected === "object" && "json" in expected) {
    if (expected.json instanceof Digits) {
      const number = Number(expected.json.text);
      return Number(actual) === number || actual === expected.json.text;
    }
    const plain = JSON.stringify(expected.json, (_key, each) => (each instanceof Digits ? Number(each.text) : each));
    return typeof expected.json === "boolean" ? actual === String(expected.json) : actual === plain;
  }
  if (expected !== null && typeof expected === "object")
    return actual !== null && sameCell((actual as { p: unknown }).p, (expected as { p: unknown }).p);
  return actual === expected;
}
