import type protobufjs from "protobufjs";
import type { RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import { emptied, FLAT, type FlatColumn, flatColumn, flatFrame } from "../flat/columns.ts";
import type { FlatReader } from "../flat/reading.ts";
import type { Decoded } from "../format.ts";
import { HEADER, schemaIdOf } from "../registry/confluent-header.ts";
import { plainMessage } from "./message.ts";

/** How a scalar is written; see the encoding guide of Protocol Buffers. */
const KIND = {
  int32: 0,
  int64: 1,
  uint32: 2,
  uint64: 3,
  sint32: 4,
  sint64: 5,
  bool: 6,
  text: 7,
  instant: 8,
  skipped: 9,
  f32: 10,
  f64: 11,
  i32: 12,
  u32: 13,
  i64: 14,
  u64: 15,
} as const;
type Kind = (typeof KIND)[keyof typeof KIND];

interface Field {
  readonly kind: Kind;
  readonly wire: number;
  readonly column: FlatColumn | undefined;
  /** Of a field that the topic's schema lacks and that is null where it is not set: the last record, counted from 1, that it was counted in. */
  counted: number | undefined;
}

/** One message type, as far as it is flat. */
interface Message {
  readonly fields: ReadonlyMap<number, Field>;
  /** What columns hold where the field is not set: texts are empty. */
  readonly defaults: readonly { readonly column: FlatColumn; readonly value: number }[];
  /** Fields that the topic's schema lacks and that every message holds. */
  readonly unknown: number;
}

/**
 * Reads Protobuf messages of flat fields straight from the bytes into columns. It takes a batch only if every value is one that it reads exactly as the
 * other way (by a line of JSON) does, and gives up at the first that is not: dtypes that need a conversion, numbers beyond 2^53, bytes that do not fit.
 */
export class FlatProtobuf implements FlatReader {
  readonly #columns: readonly FlatColumn[];
  readonly #schema: Schema;
  readonly #writer: (id: number, index: number) => protobufjs.Type | undefined;
  /** By schema id and place of the message in its file; null for one that is not flat. */
  readonly #messages = new Map<number, Message | null>();
  #view: DataView = new DataView(new ArrayBuffer(0));
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  // a varint: the lower and the upper 32 bits
  #low = 0;
  #high = 0;

  private constructor(
    schema: Schema,
    wanted: readonly string[],
    writer: (id: number, index: number) => protobufjs.Type | undefined,
  ) {
    this.#schema = schema;
    this.#writer = writer;
    this.#columns = wanted.map((name) => flatColumn(name, schema[name]!));
  }

  /**
   * Undefined where a dtype that is wanted is not flat.
   * @param writer the message type at this place of the file with this id; undefined where there is none
   */
  static of(
    schema: Schema,
    wanted: readonly string[],
    writer: (id: number, index: number) => protobufjs.Type | undefined,
  ): FlatProtobuf | undefined {
    const flat = wanted.length > 0 && wanted.every((name) => FLAT.test(schema[name]!));
    return flat ? new FlatProtobuf(schema, wanted, writer) : undefined;
  }

  read({ values, count }: RecordColumns): Decoded | undefined {
    const { starts, ends, nulls } = values;
    if (nulls !== undefined || count === 0) return undefined;
    this.#bytes = Buffer.from(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    this.#view = new DataView(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
    for (const column of this.#columns) emptied(column, count);
    let unknown = 0;
    for (let row = 0; row < count; row++) {
      const [start, end] = [starts[row]!, ends[row]!];
      const id = schemaIdOf(this.#bytes, start, end);
      if (id === undefined) return undefined;
      this.#at = start + HEADER;
      // the place of the message: 0 is the first, 2 and a zigzag number one of the others; deeper ones go the other way
      const indexes = this.#bytes[this.#at++];
      let index = 0;
      if (indexes === 2) index = this.#bytes[this.#at++]! >> 1;
      else if (indexes !== 0) return undefined;
      const message = this.#messageOf(id, index);
      if (message === null) return undefined;
      for (const { column, value } of message.defaults) {
        if (column.dtype === "Utf8") column.starts[row] = column.ends[row] = start + HEADER;
        else column.cells[row] = value;
      }
      const more = this.#record(message, end, row);
      if (more === -1) return undefined;
      unknown += message.unknown + more;
    }
    const frame = flatFrame(this.#columns, this.#bytes);
    if (frame === undefined) return undefined;
    return { frame, rows: count, bad: [], unknownFields: unknown };
  }

  /** Reads one message; how many unknown fields were set in it, or -1 where it needs the other way. */
  #record({ fields }: Message, end: number, row: number): number {
    let unknown = 0;
    while (this.#at < end) {
      if (!this.#varint(end) || this.#high !== 0) return -1;
      const wire = this.#low & 7;
      const field = fields.get(this.#low >>> 3);
      if (field?.column === undefined) {
        if (field?.counted !== undefined && field.counted !== row + 1) {
          field.counted = row + 1;
          unknown++;
        }
        if (!this.#skip(wire, end)) return -1;
        continue;
      }
      if (wire !== field.wire) return -1;
      if (field.kind === KIND.text || field.kind === KIND.instant) {
        if (!this.#varint(end) || this.#high !== 0 || this.#at + this.#low > end) return -1;
        const to = this.#at + this.#low;
        const { column } = field;
        if (field.kind === KIND.text) {
          column.starts[row] = this.#at;
          column.ends[row] = to;
          this.#at = to;
        } else {
          // a second one in the same message would be merged with the first
          if (!Number.isNaN(column.cells[row])) return -1;
          const instant = this.#instant(to, column.dtype === "Datetime(us)" ? 1e6 : 1e3);
          if (Number.isNaN(instant)) return -1;
          column.cells[row] = instant;
        }
        continue;
      }
      const value = this.#number(field.kind, end);
      if (value === undefined) return -1;
      // as in JSON: no infinities, no minus zero
      field.column.cells[row] = Number.isFinite(value) ? value + 0 : Number.NaN;
    }
    return this.#at === end ? unknown : -1;
  }

  /** A number that a double holds exactly, or undefined. */
  #number(kind: Kind, end: number): number | undefined {
    if (kind >= KIND.f32) {
      const size = kind === KIND.f64 || kind >= KIND.i64 ? 8 : 4;
      const at = this.#at;
      if (at + size > end) return undefined;
      this.#at = at + size;
      switch (kind) {
        case KIND.f32:
          return this.#view.getFloat32(at, true);
        case KIND.f64:
          return this.#view.getFloat64(at, true);
        case KIND.i32:
          return this.#view.getInt32(at, true);
        case KIND.u32:
          return this.#view.getUint32(at, true);
        default: {
          const high = kind === KIND.i64 ? this.#view.getInt32(at + 4, true) : this.#view.getUint32(at + 4, true);
          return safe(high, this.#view.getUint32(at, true));
        }
      }
    }
    if (!this.#varint(end)) return undefined;
    const [low, high] = [this.#low, this.#high];
    switch (kind) {
      case KIND.int32:
        return low | 0;
      case KIND.uint32:
        return low;
      case KIND.sint32:
        return (low >>> 1) ^ -(low & 1);
      case KIND.int64:
        return safe(high | 0, low);
      case KIND.uint64:
        return safe(high, low);
      case KIND.sint64: {
        const half = safe(high >>> 1, ((low >>> 1) | (high << 31)) >>> 0);
        return half === undefined ? undefined : (low & 1) === 0 ? half : -half - 1;
      }
      default:
        return high === 0 && low <= 1 ? low : undefined;
    }
  }

  /** A `google.protobuf.Timestamp` up to `to` as a count of 1/`perSecond` seconds, NaN where it needs the other way. */
  #instant(to: number, perSecond: number): number {
    let [seconds, nanos] = [0, 0];
    while (this.#at < to) {
      const tag = this.#bytes[this.#at++];
      if ((tag !== 0x08 && tag !== 0x10) || !this.#varint(to)) return Number.NaN;
      if (tag === 0x08) seconds = safe(this.#high | 0, this.#low) ?? Number.NaN;
      else nanos = this.#low | 0;
    }
    const count = seconds * perSecond + Math.floor((nanos * perSecond) / 1e9);
    return this.#at === to && Number.isSafeInteger(count) ? count : Number.NaN;
  }

  /** Reads a varint into {@link #low} and {@link #high}, both unsigned; false where it does not end. */
  #varint(end: number): boolean {
    const bytes = this.#bytes;
    let at = this.#at;
    let byte = bytes[at++]!;
    let low = byte & 0x7f;
    let high = 0;
    for (let shift = 7; byte >= 0x80; shift += 7) {
      if (at >= end || shift > 63) return false;
      byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
    }
    this.#low = low >>> 0;
    this.#high = high >>> 0;
    this.#at = at;
    return at <= end;
  }

  #skip(wire: number, end: number): boolean {
    if (wire === 0) return this.#varint(end);
    if (wire === 1) this.#at += 8;
    else if (wire === 5) this.#at += 4;
    else if (wire === 2) {
      if (!this.#varint(end) || this.#high !== 0) return false;
      this.#at += this.#low;
    } else return false;
    return this.#at <= end;
  }

  #messageOf(id: number, index: number): Message | null {
    const place = id * 256 + index;
    let message = this.#messages.get(place);
    if (message === undefined) {
      const type = this.#writer(id, index);
      // one that is not there may be there later
      if (type === undefined) return null;
      message = this.#flatMessage(type);
      this.#messages.set(place, message);
    }
    return message;
  }

  #flatMessage(type: protobufjs.Type): Message | null {
    const empty = plainMessage(type, type.create({}));
    const fields = new Map<number, Field>();
    const defaults: { column: FlatColumn; value: number }[] = [];
    let unknown = 0;
    for (const field of type.fieldsArray) {
      const column = this.#columns.find(({ name }) => name === field.name);
      const known = Object.hasOwn(this.#schema, field.name);
      const unset = empty[field.name] ?? null;
      if (!known && unset !== null) unknown++;
      const scalar = column === undefined ? SKIPPED : scalarOf(field, column.dtype);
      if (scalar === undefined) return null;
      fields.set(field.id, { ...scalar, column, counted: !known && unset === null ? 0 : undefined });
      if (column === undefined || unset === null) continue;
      const value = typeof unset === "boolean" ? Number(unset) : unset === "" ? 0 : Number(JSON.stringify(unset));
      if (Number.isNaN(value)) return null;
      defaults.push({ column, value });
    }
    return { fields, defaults, unknown };
  }
}

/** The whole number of which these are the upper and the lower 32 bits; undefined beyond 2^53. */
function safe(high: number, low: number): number | undefined {
  const value = high * 2 ** 32 + low;
  return Number.isSafeInteger(value) ? value : undefined;
}

const SKIPPED = { kind: KIND.skipped, wire: -1 };

const SCALARS: Readonly<Record<string, { kind: Kind; wire: number }>> = {
  int32: { kind: KIND.int32, wire: 0 },
  int64: { kind: KIND.int64, wire: 0 },
  uint32: { kind: KIND.uint32, wire: 0 },
  uint64: { kind: KIND.uint64, wire: 0 },
  sint32: { kind: KIND.sint32, wire: 0 },
  sint64: { kind: KIND.sint64, wire: 0 },
  bool: { kind: KIND.bool, wire: 0 },
  fixed32: { kind: KIND.u32, wire: 5 },
  sfixed32: { kind: KIND.i32, wire: 5 },
  float: { kind: KIND.f32, wire: 5 },
  fixed64: { kind: KIND.u64, wire: 1 },
  sfixed64: { kind: KIND.i64, wire: 1 },
  double: { kind: KIND.f64, wire: 1 },
  string: { kind: KIND.text, wire: 2 },
};

/** How a field goes into a column of this dtype as it is; undefined where it does not. */
function scalarOf(field: protobufjs.Field, dtype: string): { kind: Kind; wire: number } | undefined {
  if (field.repeated || field.map) return undefined;
  if (field.resolvedType?.fullName === ".google.protobuf.Timestamp")
    return dtype === "Datetime(ms)" || dtype === "Datetime(us)" ? { kind: KIND.instant, wire: 2 } : undefined;
  if (field.resolvedType !== null) return undefined;
  const scalar = SCALARS[field.type];
  if (scalar === undefined) return undefined;
  const fits =
    scalar.kind === KIND.text
      ? dtype === "Utf8"
      : scalar.kind === KIND.bool
        ? dtype === "Boolean"
        : scalar.kind === KIND.f32 || scalar.kind === KIND.f64
          ? dtype === "Float64"
          : dtype === "Int64" || dtype === "Float64" || dtype === "Datetime(ms)" || dtype === "Datetime(us)";
  return fits ? scalar : undefined;
}
