import type pl from "nodejs-polars";
import { doubles } from "../../polars/doubles.ts";
import { type Schema, schemaOf } from "../../schema.ts";
import type { Numbers, Values } from "../format.ts";
import { Longs, numbersOf } from "../longs.ts";
import { isFile, readArrow } from "./read-arrow.ts";
import { findBatch } from "./record-batch.ts";

type View = Numbers | BigInt64Array;
type ViewType = (new (
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
) => View) & {
  readonly BYTES_PER_ELEMENT: number;
};

/** dtype -> the array that holds its values. */
const NUMBERS: Readonly<Record<string, ViewType>> = {
  Int8: Int8Array,
  Int16: Int16Array,
  Int32: Int32Array,
  Int64: BigInt64Array,
  UInt8: Uint8Array,
  UInt16: Uint16Array,
  UInt32: Uint32Array,
  Float32: Float32Array,
  Float64: Float64Array,
  "Datetime(ms)": BigInt64Array,
};

/** Where the values of a column lie. */
interface Place {
  readonly name: string;
  /** From the beginning of the message, in bytes. */
  readonly from: number;
  readonly array: ViewType;
}

/**
 * Where the numbers of a message lie. All that an Arrow message says of itself stands before its first number and behind its last: one that has these bytes, and its length, in
 * common with a message that Polars has read is as right as that, and has its numbers in the same places.
 */
export class Layout {
  readonly rows: number;
  /** Columns of the message that are not in the schema. */
  readonly unknownFields: number;
  readonly #places: readonly Place[];
  readonly #length: number;
  readonly #head: Buffer;
  readonly #tail: Buffer;

  private constructor(message: Buffer, { rows, unknownFields, places, from, to }: Found) {
    this.rows = rows;
    this.unknownFields = unknownFields;
    this.#places = places;
    this.#length = message.length;
    this.#head = Buffer.from(message.subarray(0, from));
    this.#tail = Buffer.from(message.subarray(to));
  }

  /**
   * The layout of a message of plain numbers: one record batch, not compressed, without nulls, every column a number or a time, those that are wanted as
   * the schema says. Polars reads the message first, and what is found in it must be what Polars has read. Undefined for any other message.
   */
  static of(message: Buffer, schema: Schema, names: readonly string[]): Layout | undefined {
    try {
      const found = find(message, readArrow(message), schema, names);
      return found && new Layout(message, found);
    } catch {
      return undefined; // Polars says why when it reads all of the batch
    }
  }

  /** Whether a message is laid out like this one. */
  isOf(message: Buffer): boolean {
    return (
      message.length === this.#length &&
      this.#head.compare(message, 0, this.#head.length) === 0 &&
      this.#tail.compare(message, message.length - this.#tail.length) === 0
    );
  }

  /** The values of the wanted columns, where they lie; undefined where one has an integer that no double holds. */
  read({ buffer, byteOffset }: Buffer): Map<string, Values> | undefined {
    const columns = new Map<string, Values>();
    for (const { name, from, array } of this.#places) {
      const values = valuesOf(new array(buffer, byteOffset + from, this.rows));
      if (values === undefined) return undefined;
      columns.set(name, values);
    }
    return columns;
  }
}

interface Found {
  readonly rows: number;
  readonly unknownFields: number;
  /** Of the wanted columns. */
  readonly places: readonly Place[];
  /** Where the first number of all columns is, and where the last one ends. */
  readonly from: number;
  readonly to: number;
}

/** @param frame the same by Polars */
function find(message: Buffer, frame: pl.DataFrame, schema: Schema, names: readonly string[]): Found | undefined {
  const read = Object.entries(schemaOf(frame));
  const batch = findBatch(message, isFile(message), read.length);
  if (batch === undefined || batch.rows !== frame.height || read.length !== frame.width) return undefined;
  const places: Place[] = [];
  let [first, last] = [message.length, 0];
  for (const [i, [name, dtype]] of read.entries()) {
    const array = NUMBERS[dtype];
    const { from, to } = batch.values[i]!;
    const end = from + batch.rows * (array?.BYTES_PER_ELEMENT ?? Number.NaN);
    if (array === undefined || !(end <= to)) return undefined;
    first = Math.min(first, from);
    last = Math.max(last, end);
    if (!names.includes(name)) continue;
    if (!isAsked(dtype, schema[name]!)) return undefined;
    const values = valuesOf(new array(message.buffer, message.byteOffset + from, batch.rows));
    if (values === undefined || !isEqual(frame.getColumn(name), values)) return undefined;
    places.push({ name, from, array });
  }
  if (places.length < names.length) return undefined;
  const unknownFields = read.filter(([name]) => !Object.hasOwn(schema, name)).length;
  return { rows: batch.rows, unknownFields, places, from: Math.min(first, last), to: last };
}

/** Without a conversion; an integer stands for milliseconds. */
const isAsked = (dtype: string, asked: string): boolean =>
  dtype === asked || (dtype === "Int64" && asked === "Datetime(ms)");

const valuesOf = (view: View): Values | undefined => (view instanceof BigInt64Array ? Longs.of(view) : view);

function isEqual(column: pl.Series, values: Values): boolean {
  if (column.nullCount() > 0 || column.length !== values.length) return false;
  const [ours, theirs] = [numbersOf(values), doubles(column)];
  return ours.every((value, i) => value === theirs[i] || (Number.isNaN(value) && Number.isNaN(theirs[i])));
}
