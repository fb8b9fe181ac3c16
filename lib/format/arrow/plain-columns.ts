import { createRequire } from "node:module";
import type { Column, DataType, Table } from "@uwdata/flechette";
import type { ByteColumn } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import type { Numbers, Values } from "../format.ts";
import { Longs } from "../longs.ts";

const { tableFromIPC, Type } = createRequire(import.meta.url)(
  "@uwdata/flechette",
) as typeof import("@uwdata/flechette");

/** What messages hold, as it lies in them: column -> its values in each message. */
export interface PlainColumns {
  readonly columns: ReadonlyMap<string, readonly Values[]>;
  /** How many rows each message has. */
  readonly rows: readonly number[];
  /** Columns of messages that are not in the schema. */
  readonly unknownFields: number;
}

/**
 * Messages whose columns are plain numbers: one record batch each, nothing compressed, no nulls, of the dtypes that the schema says, integers of 64 bits (and
 * times) small enough for a double. Nothing is copied but messages that do not lie where numbers may. Undefined where one message is
 * otherwise: Polars then reads all of them, and says what is wrong.
 * @param names the columns wanted, of the schema
 */
export function plainColumns(
  { bytes, starts, ends, nulls }: ByteColumn,
  count: number,
  schema: Schema,
  names: readonly string[],
): PlainColumns | undefined {
  if (nulls !== undefined || names.length === 0 || !names.every((name) => schema[name]! in NUMBERS)) return undefined;
  const columns = new Map(names.map((name) => [name, new Array<Values>(count)]));
  const rows = new Array<number>(count);
  let unknownFields = 0;
  for (let index = 0; index < count; index++) {
    const message = aligned(bytes.subarray(starts[index], ends[index]));
    const table = readTable(message);
    if (table === undefined) return undefined;
    for (const [name, of] of columns) {
      const values = valuesOf(table, name, schema[name]!, message);
      if (values === undefined) return undefined;
      of[index] = values;
    }
    rows[index] = table.numRows;
    for (const { name } of table.schema.fields) if (!Object.hasOwn(schema, name)) unknownFields++;
  }
  return { columns, rows, unknownFields };
}

/** Numbers are read where they lie, if that is where numbers may. */
function aligned(message: Uint8Array): Uint8Array {
  return message.byteOffset % 8 === 0 ? message : new Uint8Array(message);
}

function readTable(message: Uint8Array): Table | undefined {
  try {
    return tableFromIPC(message);
  } catch {
    return undefined;
  }
}

function valuesOf(table: Table, name: string, dtype: string, message: Uint8Array): Values | undefined {
  const at = table.schema.fields.findIndex((field) => field.name === name);
  const column = table.getChildAt(at) as Column<unknown> | undefined;
  if (column === undefined || column.data.length !== 1 || !NUMBERS[dtype]!(column.type)) return undefined;
  const { values, nullCount, length } = column.data[0]!;
  if (nullCount > 0 || length !== table.numRows || !ArrayBuffer.isView(values)) return undefined;
  const all = values as Numbers | BigInt64Array | BigUint64Array;
  if (all.length < length || !liesWithin(all, message)) return undefined;
  const own = all.length === length ? all : all.subarray(0, length);
  return own instanceof BigInt64Array ? Longs.of(own) : own instanceof BigUint64Array ? undefined : own;
}

/** A length that is wrong would reach into what comes after the message. */
function liesWithin(values: ArrayBufferView, { buffer, byteOffset, byteLength }: Uint8Array): boolean {
  if (values.buffer !== buffer) return true;
  return values.byteOffset >= byteOffset && values.byteOffset + values.byteLength <= byteOffset + byteLength;
}

const integer =
  (bitWidth: number, signed: boolean) =>
  (type: DataType): boolean =>
    type.typeId === Type.Int && type.bitWidth === bitWidth && type.signed === signed;
const float =
  (precision: number) =>
  (type: DataType): boolean =>
    type.typeId === Type.Float && type.precision === precision;

/** dtype -> whether it is what an Arrow type is read as. */
const NUMBERS: Readonly<Record<string, (type: DataType) => boolean>> = {
  Int8: integer(8, true),
  Int16: integer(16, true),
  Int32: integer(32, true),
  Int64: integer(64, true),
  UInt8: integer(8, false),
  UInt16: integer(16, false),
  UInt32: integer(32, false),
  Float32: float(1),
  Float64: float(2),
  // an integer stands for milliseconds
  "Datetime(ms)": (type) =>
    integer(64, true)(type) || (type.typeId === Type.Timestamp && type.unit === 1 && (type.timezone ?? null) === null),
};
