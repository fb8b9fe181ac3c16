import pl from "nodejs-polars";
import { dtypeName, dtypeOf, type Schema } from "../schema.ts";
import { carried } from "./row-cells.ts";
import { TextCollector } from "./text-column.ts";

/** Fills one column with JavaScript values, in order. */
interface ColumnBuilder {
  /** @throws TypeError for a value that does not fit the dtype */
  push(value: unknown): void;
  /** Forgets all but the first `length` values. */
  truncate(length: number): void;
  finish(): pl.Series;
}

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  Int8: [-(2 ** 7), 2 ** 7 - 1],
  Int16: [-(2 ** 15), 2 ** 15 - 1],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  Int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  UInt8: [0, 2 ** 8 - 1],
  UInt16: [0, 2 ** 16 - 1],
  UInt32: [0, 2 ** 32 - 1],
  UInt64: [0, Number.MAX_SAFE_INTEGER],
};
const DAY = 86_400_000;

/**
 * Rows given by code, as columns of a schema. A row whose values do not fit leaves nothing behind.
 */
export class RowsBuilder {
  readonly #names: readonly string[];
  readonly #columns: readonly ColumnBuilder[];
  readonly #pushCells: (row: Record<string, unknown>) => void;
  #height = 0;

  constructor(schema: Schema) {
    this.#names = Object.keys(schema);
    this.#columns = Object.entries(schema).map(([name, dtype]) => builder(name, dtype));
    this.#pushCells = pushingCells(schema, this.#columns);
  }

  get height(): number {
    return this.#height;
  }

  /** @throws TypeError when a value is missing, of another type, or named by no column */
  push(row: unknown): void {
    if (row === null || typeof row !== "object") throw new TypeError(`it gave ${show(row)}, not a row of columns`);
    const names = this.#names;
    const values = row as Record<string, unknown>;
    try {
      this.#pushCells(values);
      let given = 0;
      for (const _ in values) given++;
      if (given > names.length && Object.keys(values).length > names.length)
        throw new TypeError(
          `it gave "${Object.keys(values).find((name) => !names.includes(name))}", which the schema does not name`,
        );
    } catch (error) {
      this.truncate(this.#height);
      throw error;
    }
    this.#height++;
  }

  truncate(height: number): void {
    this.#height = height;
    for (const column of this.#columns) column.truncate(height);
  }

  /** The rows so far; the builder starts anew. */
  finish(): pl.DataFrame {
    const frame = pl.DataFrame(this.#columns.map((column) => column.finish()));
    this.truncate(0);
    return frame;
  }
}

/**
 * Pushes each cell of a row to its column. Written out for these names and dtypes: a loop over them looks every property and every kind of column up
 * again, which takes a third of the time of a row. What fits goes straight into a number column's array; all else goes through `push`, which judges it.
 */
function pushingCells(schema: Schema, columns: readonly ColumnBuilder[]): (row: Record<string, unknown>) => void {
  const lines = Object.entries(schema).map(([name, dtype], i) => {
    const value = `v = row[${JSON.stringify(name)}];`;
    const range = RANGES[dtype];
    const direct = (number: string, fits: string) =>
      `${value} n = ${number}; if (${fits} && c${i}.length < c${i}.values.length) c${i}.values[c${i}.length++] = n; else c${i}.push(v);`;
    if (range !== undefined) return direct("v", `Number.isInteger(n) && n >= ${range[0]} && n <= ${range[1]}`);
    if (dtype.startsWith("Float")) return direct("v", 'typeof n === "number"');
    if (dtype.startsWith("Datetime")) return direct("v instanceof Date ? v.getTime() : 0.5", "Number.isInteger(n)");
    return `${value} c${i}.push(v);`;
  });
  const names = columns.map((_, i) => `c${i}`);
  const body = `return (row) => { let v, n;\n${lines.join("\n")}\n};`;
  return new Function(...names, body)(...columns) as never;
}

function builder(name: string, dtype: string): ColumnBuilder {
  if (dtype === "Utf8") return new TextBuilder(name, dtype, texts(name));
  if (dtype.startsWith("List(") || dtype.startsWith("Struct{"))
    return new TextBuilder(name, dtype, (value) => JSON.stringify(nested(name, dtype, value)));
  return new NumberBuilder(name, dtype);
}

const texts = (name: string) => (value: unknown) => {
  if (typeof value === "string") return value;
  throw misfit(name, "Utf8", value);
};

/** Text, and what travels as JSON text. */
class TextBuilder implements ColumnBuilder {
  readonly #name: string;
  readonly #dtype: string;
  readonly #text: (value: unknown) => string;
  readonly #values = new TextCollector();

  constructor(name: string, dtype: string, text: (value: unknown) => string) {
    this.#name = name;
    this.#dtype = dtype;
    this.#text = text;
  }

  push(value: unknown): void {
    this.#values.push(value === null ? null : this.#text(value));
  }

  truncate(length: number): void {
    this.#values.truncate(length);
  }

  finish(): pl.Series {
    const texts = this.#values.finish(this.#name);
    if (this.#dtype === "Utf8") return texts;
    const decoded = pl.col(this.#name).str.jsonDecode(dtypeOf(carried(this.#dtype)));
    return pl
      .DataFrame([texts])
      .select(decoded.cast(dtypeOf(this.#dtype)))
      .getColumn(this.#name);
  }
}

/** Numbers, and what is a number inside: booleans, dates, datetimes, durations. */
class NumberBuilder implements ColumnBuilder {
  readonly #name: string;
  readonly #dtype: string;
  readonly #number: (value: unknown) => number;
  /** Those up to {@link length} count; {@link RowsBuilder} puts what fits in here itself. */
  values = new Float64Array(1024);
  #nulls: Uint8Array | undefined;
  length = 0;

  constructor(name: string, dtype: string) {
    this.#name = name;
    this.#dtype = dtype;
    this.#number = numberOf(name, dtype);
  }

  push(value: unknown): void {
    const at = this.length;
    if (at === this.values.length) this.#grow();
    if (value === null) {
      this.#nulls ??= new Uint8Array(this.values.length);
      this.#nulls[at] = 1;
    } else this.values[at] = this.#number(value);
    this.length = at + 1;
  }

  #grow(): void {
    const values = new Float64Array(2 * this.values.length);
    values.set(this.values);
    this.values = values;
    if (this.#nulls === undefined) return;
    const nulls = new Uint8Array(values.length);
    nulls.set(this.#nulls);
    this.#nulls = nulls;
  }

  truncate(length: number): void {
    this.#nulls?.fill(0, length, this.length + 1);
    this.length = length;
  }

  finish(): pl.Series {
    const numbers = pl.Series(this.#name, this.values.slice(0, this.length));
    const typed = fromNumbers(numbers, this.#dtype);
    if (this.#nulls === undefined) return typed;
    const isNull = pl.Series("§null", this.#nulls.slice(0, this.length)).cast(pl.Bool);
    this.#nulls = undefined;
    const present = pl.when(pl.col("§null").not()).then(pl.col(this.#name)).otherwise(pl.lit(null));
    return pl.DataFrame([typed, isNull]).select(present.alias(this.#name)).getColumn(this.#name);
  }
}

function numberOf(name: string, dtype: string): (value: unknown) => number {
  const range = RANGES[dtype];
  if (range !== undefined)
    return (value) => {
      if (typeof value === "number" && Number.isInteger(value) && value >= range[0] && value <= range[1]) return value;
      if (typeof value === "bigint" && value >= BigInt(range[0]) && value <= BigInt(range[1])) return Number(value);
      throw misfit(name, dtype, value);
    };
  if (dtype.startsWith("Float"))
    return (value) => {
      if (typeof value === "number") return value;
      throw misfit(name, dtype, value);
    };
  if (dtype === "Boolean")
    return (value) => {
      if (typeof value === "boolean") return value ? 1 : 0;
      throw misfit(name, dtype, value);
    };
  if (dtype.startsWith("Datetime") || dtype === "Date")
    return (value) => {
      const ms = value instanceof Date ? value.getTime() : value;
      if (typeof ms === "number" && Number.isInteger(ms)) return dtype === "Date" ? Math.floor(ms / DAY) : ms;
      throw misfit(name, dtype, value);
    };
  // a duration, in milliseconds
  return (value) => {
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw misfit(name, dtype, value);
  };
}

function fromNumbers(numbers: pl.Series, dtype: string): pl.Series {
  if (dtype === "Float64") return numbers;
  if (dtype === "Date") return numbers.cast(pl.Int32).cast(pl.Date);
  const [, kind, unit, zone] = /^(Datetime|Duration)\((ms|us|ns)(?:,(.*))?\)$/.exec(dtype) ?? [];
  if (kind === undefined) return numbers.cast(dtypeOf(dtype));
  const inMs = numbers.cast(pl.Int64).cast(kind === "Datetime" ? pl.Datetime("ms", zone) : pl.Duration("ms"));
  return unit === "ms" ? inMs : inMs.cast(dtypeOf(dtype));
}

/** A list or struct as JSON holds it, its cells checked. */
function nested(name: string, dtype: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  const [, item] = /^List\((.*)\)$/s.exec(dtype) ?? [];
  if (item !== undefined) {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw misfit(name, dtype, value);
    return Array.from(value as unknown[], (cell) => nested(name, item, cell));
  }
  if (dtype.startsWith("Struct{")) {
    if (typeof value !== "object") throw misfit(name, dtype, value);
    const fields = (dtypeOf(dtype) as unknown as { inner: { name: string; dtype: pl.DataType }[] }).inner;
    const known = new Set(fields.map((field) => field.name));
    const unknown = Object.keys(value).find((field) => !known.has(field));
    if (unknown !== undefined) throw new TypeError(`"${name}" has a field "${unknown}", which ${dtype} does not`);
    const names = structDTypes(dtype);
    return Object.fromEntries(
      fields.map((field) => [
        field.name,
        nested(`${name}.${field.name}`, names[field.name]!, (value as Record<string, unknown>)[field.name]),
      ]),
    );
  }
  if (dtype === "Utf8") return texts(name)(value);
  if (dtype === "Boolean") return numberOf(name, dtype)(value) === 1;
  const number = numberOf(name, dtype)(value);
  if (Number.isFinite(number)) return number * perUnit(dtype);
  throw new TypeError(`"${name}" holds ${number} inside a ${dtype}: only finite numbers can stand there`);
}

/** Of a nested datetime or duration, how many of its units are in a millisecond. */
function perUnit(dtype: string): number {
  const unit = /^(?:Datetime|Duration)\((ms|us|ns)/.exec(dtype)?.[1];
  return unit === "us" ? 1e3 : unit === "ns" ? 1e6 : 1;
}

function structDTypes(dtype: string): Record<string, string> {
  const { inner } = dtypeOf(dtype) as unknown as { inner: { name: string; dtype: pl.DataType }[] };
  return Object.fromEntries(inner.map((field) => [field.name, dtypeName(field.dtype)]));
}

function misfit(name: string, dtype: string, value: unknown): TypeError {
  if (value === undefined) return new TypeError(`it gave nothing for "${name}" (write null for no value)`);
  return new TypeError(`"${name}" is ${show(value)}, not ${dtype}`);
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  const text = typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
