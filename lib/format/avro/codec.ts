/*
  Avro binary encoding (avro.apache.org/docs/1.12.0/specification): int and long are zigzag varints; float and double little-endian IEEE; bytes and
  string a long length and the bytes; enum its index; fixed its bytes; union the index of the branch and its value; arrays and maps blocks
  of a long count and the items, ended by 0, where a negative count is followed by the block's size in bytes; a record its fields in order.
*/

export type AvroSchema = string | AvroPart | readonly AvroSchema[];
export interface AvroPart {
  readonly type: AvroSchema;
  readonly [attribute: string]: unknown;
}

const rawJSON = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;

/** Where reading is. */
interface Cursor {
  readonly bytes: Buffer;
  at: number;
}
type Read = (cursor: Cursor) => unknown;

/**
 * Reads values of a schema as JSON can write them: bytes and fixed as base64, dates as `YYYY-MM-DD`, whole numbers beyond 2^53 with all their digits,
 * unions without their branch's name.
 * @throws TypeError for a schema that makes no sense; the reader RangeError for bytes that do not fit
 */
export function avroReader(schema: AvroSchema): (bytes: Buffer) => unknown {
  const read = readerOf(schema, new Map(), "");
  return (bytes) => {
    const cursor = { bytes, at: 0 };
    const value = read(cursor);
    if (cursor.at !== bytes.length) throw new RangeError(`${bytes.length - cursor.at} bytes are left over`);
    return value;
  };
}

function readerOf(schema: AvroSchema, names: Map<string, Read>, space: string): Read {
  if (typeof schema === "string") {
    const read = PRIMITIVES[schema] ?? names.get(fullName(schema, space)) ?? names.get(schema);
    if (read === undefined) throw new TypeError(`no type "${schema}"`);
    return read;
  }
  if (Array.isArray(schema)) {
    const branches = (schema as AvroSchema[]).map((branch) => readerOf(branch, names, space));
    return (cursor) => branchOf(branches, small(cursor))(cursor);
  }
  const part = schema as AvroPart;
  const { type } = part;
  if (typeof type !== "string") return readerOf(type, names, space);
  const inner = (part.namespace as string | undefined) ?? namespaceOf(part.name as string | undefined) ?? space;
  // a named type may hold itself
  const named = (read: Read): Read => {
    names.set(fullName(part.name as string, inner), read);
    return read;
  };
  switch (type) {
    case "record":
    case "error": {
      const fields: (readonly [string, Read])[] = [];
      const read = named((cursor) => {
        const row: Record<string, unknown> = {};
        for (const [name, readField] of fields) row[name] = readField(cursor);
        return row;
      });
      for (const field of part.fields as AvroPart[])
        fields.push([field.name as string, readerOf(field.type, names, inner)]);
      return read;
    }
    case "enum": {
      const symbols = part.symbols as string[];
      return named((cursor) => branchOf(symbols, small(cursor)));
    }
    case "fixed": {
      const size = part.size as number;
      return named((cursor) => take(cursor, size).toString("base64"));
    }
    case "array": {
      const item = readerOf(part.items as AvroSchema, names, space);
      return (cursor) => blocks(cursor, [] as unknown[], (items) => items.push(item(cursor)));
    }
    case "map": {
      const value = readerOf(part.values as AvroSchema, names, space);
      return (cursor) =>
        blocks(cursor, {} as Record<string, unknown>, (map) => {
          const key = text(cursor);
          map[key] = value(cursor);
        });
    }
    case "int":
      return part.logicalType === "date" ? (cursor) => dateText(small(cursor)) : small;
    default:
      return readerOf(type, names, space);
  }
}

const PRIMITIVES: Readonly<Record<string, Read>> = {
  null: () => null,
  boolean: (cursor) => take(cursor, 1)[0] === 1,
  int: small,
  long,
  float: (cursor) => take(cursor, 4).readFloatLE(),
  double: (cursor) => take(cursor, 8).readDoubleLE(),
  bytes: (cursor) => take(cursor, small(cursor)).toString("base64"),
  string: text,
};

function take(cursor: Cursor, size: number): Buffer {
  const { bytes, at } = cursor;
  if (!(size >= 0 && at + size <= bytes.length)) throw new RangeError("truncated");
  cursor.at = at + size;
  return bytes.subarray(at, at + size);
}

function text(cursor: Cursor): string {
  return take(cursor, small(cursor)).toString();
}

/** A number that a double holds. */
function small(cursor: Cursor): number {
  const value = long(cursor);
  if (typeof value !== "number") throw new RangeError("a length or index beyond 2^53");
  return value;
}

function long(cursor: Cursor): unknown {
  const { bytes } = cursor;
  let low = 0;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError("truncated");
    low |= (byte & 0x7f) << shift;
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1);
  }
  let wide = BigInt(low);
  for (let shift = 28n; shift < 70n; shift += 7n) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) throw new RangeError("truncated");
    wide |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) {
      const value = BigInt.asIntN(64, (wide >> 1n) ^ -(wide & 1n));
      const number = Number(value);
      return Number.isSafeInteger(number) ? number : rawJSON(String(value));
    }
  }
  throw new RangeError("a number of more than 10 bytes");
}

function branchOf<T>(branches: readonly T[], index: number): T {
  const branch = branches[index];
  if (branch === undefined) throw new RangeError(`no branch or symbol ${index}`);
  return branch;
}

function blocks<T>(cursor: Cursor, into: T, item: (into: T) => void): T {
  for (;;) {
    let count = small(cursor);
    if (count === 0) return into;
    if (count < 0) {
      count = -count;
      small(cursor); // the size in bytes, for those who skip
    }
    if (count > cursor.bytes.length * 8) throw new RangeError("truncated");
    for (let i = 0; i < count; i++) item(into);
  }
}

const dateText = (days: number): string => {
  const date = new Date(days * 86_400e3);
  if (Number.isNaN(date.getTime())) throw new RangeError(`no date: ${days} days`);
  return date.toISOString().slice(0, 10);
};

const namespaceOf = (name: string | undefined): string | undefined =>
  name?.includes(".") ? name.slice(0, name.lastIndexOf(".")) : undefined;
const fullName = (name: string, space: string): string =>
  name.includes(".") || space === "" ? name : `${space}.${name}`;

/** Collects the bytes of values. */
class Writer {
  #bytes = Buffer.allocUnsafe(1024);
  #at = 0;

  #room(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const bigger = Buffer.allocUnsafe((this.#at + size) * 2);
    this.#bytes.copy(bigger, 0, 0, this.#at);
    this.#bytes = bigger;
  }

  long(value: number | bigint): void {
    this.#room(10);
    if (typeof value === "number" && value >= -(2 ** 30) && value < 2 ** 30) {
      let raw = (value << 1) ^ (value >> 31);
      for (; (raw & ~0x7f) !== 0; raw >>>= 7) this.#bytes[this.#at++] = (raw & 0x7f) | 0x80;
      this.#bytes[this.#at++] = raw;
      return;
    }
    const wide = BigInt(value);
    let raw = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n));
    for (; raw >= 0x80n; raw >>= 7n) this.#bytes[this.#at++] = Number(raw & 0x7fn) | 0x80;
    this.#bytes[this.#at++] = Number(raw);
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.long(size);
    this.#room(size);
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** A copy of what was written since the last time. */
  taken(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return taken;
  }
}

type Write = (writer: Writer, value: any) => void;

/** Writes rows of the schemas that `avroSchemaOf` makes: records, arrays, and unions of null and one more. */
export function avroWriter(schema: AvroSchema): (row: unknown) => Buffer {
  const write = writerOf(schema);
  const writer = new Writer();
  return (row) => {
    write(writer, row);
    return writer.taken();
  };
}

function writerOf(schema: AvroSchema): Write {
  if (Array.isArray(schema)) {
    const some = writerOf((schema as AvroSchema[])[1]!);
    return (writer, value) => {
      writer.byte(value === null || value === undefined ? 0 : 2);
      if (value !== null && value !== undefined) some(writer, value);
    };
  }
  const part = (typeof schema === "string" ? { type: schema } : schema) as AvroPart;
  switch (part.type) {
    case "record": {
      const fields = (part.fields as AvroPart[]).map((field) => [field.name as string, writerOf(field.type)] as const);
      return (writer, row) => {
        for (const [name, write] of fields) write(writer, row[name]);
      };
    }
    case "array": {
      const item = writerOf(part.items as AvroSchema);
      return (writer, items: unknown[]) => {
        if (items.length > 0) {
          writer.long(items.length);
          for (const one of items) item(writer, one);
        }
        writer.byte(0);
      };
    }
    case "boolean":
      return (writer, value) => writer.byte(value ? 1 : 0);
    case "double":
      return (writer, value) => writer.double(value);
    case "string":
      return (writer, value) => writer.text(value);
    case "int":
      return (writer, value) => writer.long(Date.parse(value) / 86_400e3); // a date
    case "long":
      return (writer, value) => writer.long(value);
    default:
      throw new TypeError(`not written: ${JSON.stringify(part.type)}`);
  }
}
