import type pl from "nodejs-polars";
import { doubles } from "../../polars/doubles.ts";
import { dtypeName, type Schema } from "../../schema.ts";
import type { Numbers, Values } from "../format.ts";
import { Longs, numbersOf } from "../longs.ts";
import { readArrow } from "./read-arrow.ts";
import { streamColumns } from "./stream-columns.ts";

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

/** So many bytes that are not its numbers a message may have: they are kept. */
const MOST_BESIDE = 64 * 1024;

/**
 * Where the numbers of a message lie. All that such a message says of itself stands before its first number and behind its last: one that has these bytes, and its length, in
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
   * The layout of a message of plain numbers: a stream of one record batch, not compressed, without nulls, every column a number or a time in ms, those that are wanted as
   * the schema says. Polars reads the message too, and what is found in the wanted columns must be what Polars has read. Undefined for any other message.
   */
  static of(message: Buffer, schema: Schema, names: readonly string[]): Layout | undefined {
    try {
      const found = find(message, schema, names);
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

/** @throws RangeError, and what Polars throws */
function find(message: Buffer, schema: Schema, names: readonly string[]): Found | undefined {
  const stream = streamColumns(message);
  if (stream === undefined || stream.columns.some(({ dtype }) => !Object.hasOwn(NUMBERS, dtype))) return undefined;
  const { rows, columns } = stream;
  const ends = columns.map(({ from, dtype }) => from + rows * NUMBERS[dtype]!.BYTES_PER_ELEMENT);
  const [from, to] = [Math.min(...columns.map((column) => column.from)), Math.max(...ends)];
  if (columns.some((column, i) => ends[i]! > column.to) || from + message.length - to > MOST_BESIDE) return undefined;
  const wanted = columns.filter(({ name }) => names.includes(name));
  if (wanted.length !== names.length || wanted.some(({ name, dtype }) => !isAsked(dtype, schema[name]!)))
    return undefined;

  const frame = readArrow(message);
  const isSame = frame.height === rows && frame.columns.join("\n") === columns.map(({ name }) => name).join("\n");
  if (!isSame) return undefined;
  const places: Place[] = [];
  for (const { name, dtype, from } of wanted) {
    const array = NUMBERS[dtype]!;
    const values = valuesOf(new array(message.buffer, message.byteOffset + from, rows));
    const read = frame.getColumn(name);
    if (values === undefined || dtypeName(read.dtype) !== dtype || !isEqual(read, values)) return undefined;
    places.push({ name, from, array });
  }
  const unknownFields = columns.filter(({ name }) => !Object.hasOwn(schema, name)).length;
  return { rows, unknownFields, places, from, to };
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
