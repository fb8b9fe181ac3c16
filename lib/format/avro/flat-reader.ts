import type { RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import { emptied, FLAT, type FlatColumn, flatColumn, flatFrame } from "../flat/columns.ts";
import type { FlatReader } from "../flat/reading.ts";
import type { Decoded } from "../format.ts";
import { HEADER, schemaIdOf } from "../registry/confluent-header.ts";
import type { AvroPart, AvroSchema } from "./codec.ts";

const KIND = { null: 0, boolean: 1, whole: 2, float: 3, double: 4, bytes: 5, fixed: 6, day: 7, symbol: 8 } as const;
type Kind = (typeof KIND)[keyof typeof KIND];

interface Field {
  readonly kind: Kind;
  /** Of a union with null: which branch null is; else -1. */
  readonly nullAt: number;
  /** Bytes of a fixed, symbols of an enum. */
  readonly size: number;
  /** Where it goes; undefined for a field that is passed over. */
  readonly column: FlatColumn | undefined;
  /** The topic's schema does not have it. */
  readonly unknown: boolean;
}

/**
 * Reads Avro records of flat fields straight from the bytes into columns. It takes a batch only if every value is one that it reads exactly as the
 * other way (by a line of JSON) does, and gives up at the first that is not: nested fields, dtypes that need a conversion, numbers beyond 2^52, bytes that do not fit.
 */
export class FlatAvro implements FlatReader {
  readonly #columns: readonly FlatColumn[];
  readonly #schema: Schema;
  /** By the id of the schema that values were written with; null for one that is not flat. */
  readonly #fields = new Map<number, readonly Field[] | null>();
  readonly #writer: (id: number) => AvroPart | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  private constructor(schema: Schema, wanted: readonly string[], writer: (id: number) => AvroPart | undefined) {
    this.#writer = writer;
    this.#schema = schema;
    this.#columns = wanted.map((name) => flatColumn(name, schema[name]!));
  }

  /**
   * Undefined where a dtype that is wanted is not flat.
   * @param writer the record schema with an id; undefined where there is none
   */
  static of(
    schema: Schema,
    wanted: readonly string[],
    writer: (id: number) => AvroPart | undefined,
  ): FlatAvro | undefined {
    const flat = wanted.length > 0 && wanted.every((name) => FLAT.test(schema[name]!));
    return flat ? new FlatAvro(schema, wanted, writer) : undefined;
  }

  /** Undefined where any value needs the other way. */
  read({ values, count }: RecordColumns): Decoded | undefined {
    const { starts, ends, nulls } = values;
    if (nulls !== undefined || count === 0) return undefined;
    this.#bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    this.#view = new DataView(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    for (const column of this.#columns) emptied(column, count);
    let unknown = 0;
    let last = Number.NaN;
    let fields: readonly Field[] | null = null;
    for (let row = 0; row < count; row++) {
      const [start, end] = [starts[row]!, ends[row]!];
      const id = schemaIdOf(this.#bytes, start, end);
      if (id === undefined) return undefined;
      if (id !== last) {
        fields = this.#fieldsOf(id);
        last = id;
      }
      if (fields === null) return undefined;
      this.#at = start + HEADER;
      const more = this.#record(fields, end, row);
      if (more === -1) return undefined;
      unknown += more;
    }
    const frame = flatFrame(this.#columns, this.#bytes);
    if (frame === undefined) return undefined;
    return { frame, rows: count, bad: [], unknownFields: unknown };
  }

  /** Reads one record; how many of its fields are unknown and hold something, or -1 where it needs the other way. */
  #record(fields: readonly Field[], end: number, row: number): number {
    let unknown = 0;
    for (const field of fields) {
      const { nullAt, column } = field;
      if (nullAt !== -1) {
        const branch = this.#long();
        if (branch === nullAt) continue;
        if (branch !== 1 - nullAt) return -1;
      }
      if (field.unknown && field.kind !== KIND.null) unknown++;
      switch (field.kind) {
        case KIND.null:
          break;
        case KIND.boolean: {
          const byte = this.#bytes[this.#at++]!;
          if (column !== undefined) column.cells[row] = byte === 1 ? 1 : 0;
          break;
        }
        case KIND.whole: {
          const value = this.#long();
          if (Number.isNaN(value)) return -1;
          if (column !== undefined) column.cells[row] = value;
          break;
        }
        case KIND.day: {
          const value = this.#long();
          // years of four digits, as in JSON
          if (!(value >= FIRST_DAY && value <= LAST_DAY)) return -1;
          if (column !== undefined) column.cells[row] = value;
          break;
        }
        case KIND.symbol: {
          const symbol = this.#long();
          if (!(symbol >= 0 && symbol < field.size)) return -1;
          break;
        }
        case KIND.float:
        case KIND.double: {
          const size = field.kind === KIND.float ? 4 : 8;
          const at = this.#at;
          this.#at = at + size;
          if (this.#at > end) return -1;
          if (column === undefined) break;
          const value = size === 4 ? this.#view.getFloat32(at, true) : this.#view.getFloat64(at, true);
          // as in JSON: no infinities, no minus zero
          column.cells[row] = Number.isFinite(value) ? value + 0 : Number.NaN;
          break;
        }
        case KIND.bytes: {
          const size = this.#long();
          if (!(size >= 0 && this.#at + size <= end)) return -1;
          if (column !== undefined) {
            column.starts[row] = this.#at;
            column.ends[row] = this.#at + size;
          }
          this.#at += size;
          break;
        }
        default:
          this.#at += field.size;
      }
    }
    return this.#at === end ? unknown : -1;
  }

  /** A zigzag varint, NaN where it is beyond 2^52. */
  #long(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let raw = byte & 0x7f;
    let scale = 128;
    do {
      byte = bytes[this.#at++]!;
      raw += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80 && scale < 2 ** 57);
    if (!(raw < 2 ** 53) || byte >= 0x80) return Number.NaN;
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  #fieldsOf(id: number): readonly Field[] | null {
    let fields = this.#fields.get(id);
    if (fields === undefined) {
      const record = this.#writer(id);
      // one that is not there may be there later
      if (record === undefined) return null;
      fields = this.#flatFields(record);
      this.#fields.set(id, fields);
    }
    return fields;
  }

  #flatFields(record: AvroPart): readonly Field[] | null {
    const fields: Field[] = [];
    const names = new Set<string>();
    for (const { name, type } of record.fields as { name: string; type: AvroSchema }[]) {
      const { some, nullAt } = withoutNull(type);
      const flat = some === undefined ? undefined : flatKind(some);
      if (flat === undefined || names.has(name)) return null;
      names.add(name);
      const column = this.#columns.find((one) => one.name === name);
      if (column !== undefined && !fits(flat, column.dtype)) return null;
      fields.push({ kind: flat.kind, size: flat.size, nullAt, column, unknown: !Object.hasOwn(this.#schema, name) });
    }
    return fields;
  }
}

const FIRST_DAY = Date.parse("0001-01-01") / 86_400e3;
const LAST_DAY = Date.parse("9999-12-31") / 86_400e3;

/** What a union of null and one more is beside null. */
function withoutNull(type: AvroSchema): { some: AvroSchema | undefined; nullAt: number } {
  if (!Array.isArray(type)) return { some: type, nullAt: -1 };
  const nullAt = type.indexOf("null");
  const flat = type.length === 2 && nullAt !== -1 && type[1 - nullAt] !== "null";
  return { some: flat ? (type[1 - nullAt] as AvroSchema) : undefined, nullAt };
}

interface FlatKind {
  readonly kind: Kind;
  readonly size: number;
  readonly type: string;
  readonly logical: unknown;
}

function flatKind(type: AvroSchema): FlatKind | undefined {
  const part = (typeof type === "string" ? { type } : type) as AvroPart;
  if (typeof part.type !== "string") return Array.isArray(part.type) ? undefined : flatKind(part.type);
  const kind = part.type === "int" && part.logicalType === "date" ? KIND.day : KINDS[part.type];
  if (kind === undefined) return undefined;
  const size = kind === KIND.fixed ? Number(part.size) : kind === KIND.symbol ? (part.symbols as string[]).length : 0;
  return { kind, size, type: part.type, logical: part.logicalType };
}

const KINDS: Readonly<Record<string, Kind>> = {
  null: KIND.null,
  boolean: KIND.boolean,
  int: KIND.whole,
  long: KIND.whole,
  enum: KIND.symbol,
  float: KIND.float,
  double: KIND.double,
  bytes: KIND.bytes,
  string: KIND.bytes,
  fixed: KIND.fixed,
};

const UNITS: Readonly<Record<string, string>> = {
  "Datetime(ms)": "timestamp-millis",
  "Datetime(us)": "timestamp-micros",
};

/** Whether a value goes into a column of this dtype as it is. */
function fits({ type, logical }: FlatKind, dtype: string): boolean {
  switch (type) {
    case "boolean":
      return dtype === "Boolean";
    case "string":
      return dtype === "Utf8";
    case "float":
    case "double":
      return dtype === "Float64";
    case "int":
    case "long":
      if (type === "int" && logical === "date") return dtype === "Date";
      if (dtype in UNITS) return logical === undefined || logical === UNITS[dtype];
      return dtype === "Int64" || dtype === "Float64";
    default:
      return type === "null";
  }
}
