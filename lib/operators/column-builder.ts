import pl from "nodejs-polars";
import { TextCollector } from "../polars/text-column.ts";
import { dtypeName, dtypeOf, type Schema } from "../schema.ts";
import { carried } from "./row-cells.ts";
import { Places, RANGES, type RowChecks, RowCode, type RowFunction } from "./row-code.ts";
import type { RowView } from "./row-view.ts";

/** Fills one column with JavaScript values, in order. */
export interface ColumnBuilder {
  /** @throws TypeError for a value that does not fit the dtype */
  push(value: unknown): void;
  /** Forgets all but the first `length` values. */
  truncate(length: number): void;
  finish(): pl.Series;
}

const DAY = 86_400_000;

/**
 * Rows given by code, as columns of a schema. A row whose values do not fit leaves nothing behind.
 */
export class RowsBuilder {
  readonly #columns: readonly ColumnBuilder[];
  readonly #code: RowCode;
  readonly #push: ReturnType<RowCode["push"]>;
  #pushEach: ReturnType<RowCode["pushEach"]> | undefined;
  #pushAllOfEach: ReturnType<RowCode["pushAllOfEach"]> | undefined;
  readonly #places = new Places();
  #height = 0;

  constructor(schema: Schema) {
    this.#columns = Object.entries(schema).map(([name, dtype]) => builder(name, dtype));
    this.#code = new RowCode(schema, this.#columns, checksOf(schema));
    this.#push = this.#code.push();
  }

  /** How many rows were pushed one by one. */
  get height(): number {
    return this.#height;
  }

  /** @throws TypeError when a value is missing, of another type, or named by no column */
  push(row: unknown): void {
    try {
      this.#push(row);
    } catch (error) {
      this.truncate(this.#height);
      throw error;
    }
    this.#height++;
  }

  /** Fills an empty builder with the row that `fn` gives for each of the view's rows; `bad` is told of those that fail. */
  pushEach(fn: RowFunction, view: RowView, height: number, bad: (at: number, error: unknown) => void): void {
    this.#pushEach ??= this.#code.pushEach();
    this.#pushEach(fn, view, height, (at, good, error) => {
      this.truncate(good);
      bad(at, error);
    });
  }

  /**
   * Fills an empty builder with all rows that `fn` gives for each of the view's rows.
   * @returns for each of them the place of the row that it comes from, until the next call
   */
  pushAllOfEach(fn: RowFunction, view: RowView, height: number, bad: (at: number, error: unknown) => void): Int32Array {
    this.#pushAllOfEach ??= this.#code.pushAllOfEach();
    this.#pushAllOfEach(fn, view, height, this.#places, (at, good, error) => {
      this.truncate(good);
      bad(at, error);
    });
    return this.#places.at.subarray(0, this.#places.length);
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

function checksOf(schema: Schema): RowChecks {
  return {
    object(row) {
      throw new TypeError(`it gave ${show(row)}, not a row of columns`);
    },
    names(row) {
      const other = Object.keys(row).find((name) => !Object.hasOwn(schema, name));
      if (other !== undefined) throw new TypeError(`it gave "${other}", which the schema does not name`);
    },
    list(rows) {
      if (typeof rows !== "object" || !(Symbol.iterator in rows!))
        throw new TypeError("it gave no list of rows (give [] for none, [row] for one)");
    },
  };
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
    const numbers = pl.Series(this.#name, this.values.subarray(0, this.length));
    const typed = fromNumbers(numbers, this.#dtype);
    if (this.#nulls === undefined) return typed;
    const isNull = pl.Series("§null", this.#nulls.subarray(0, this.length)).cast(pl.Bool);
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
