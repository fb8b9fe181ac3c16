/*
  An Arrow IPC stream (arrow.apache.org/docs/format/Columnar.html, format/Message.fbs and Schema.fbs) is parts one behind the other, of which the first says what columns there are:

  part => FFFFFFFF, INT32 length of the metadata, metadata (a flatbuffer, padded to 8 bytes), body; FFFFFFFF 00000000 ends them
  Message => 0 version, 1 header type (UINT8), 2 header, 3 bodyLength (INT64)
  Schema => 0 endianness (INT16: 0 little, 1 big), 1 fields [Field]
  Field => 0 name, 1 nullable, 2 type (UINT8), 3 what there is to say of the type, 4 dictionary, 5 children
  Int => 0 bitWidth (INT32), 1 is_signed (BOOL); FloatingPoint => 0 precision (INT16); Timestamp => 0 unit (INT16), 1 timezone
  RecordBatch => 0 length (INT64), 1 nodes [INT64 length, INT64 nulls], 2 buffers [INT64 offset, INT64 length], 3 compression

  A column of numbers has one node and two buffers: which values are valid (empty where all are), and the values.
*/

const CONTINUATION = -1;
const PREFIX = 8;
const SCHEMA = 1;
const RECORD_BATCH = 3;
const INT = 2;
const FLOATING_POINT = 3;
const TIMESTAMP = 10;
const MILLISECOND = 1;
const PRECISIONS = [undefined, "Float32", "Float64"];
const STRUCT = 16;

/** Where the values of a column lie: from where to where, in bytes from the beginning of the message. */
export interface NumberColumn {
  readonly name: string;
  readonly dtype: string;
  readonly from: number;
  readonly to: number;
}

export interface NumberColumns {
  readonly rows: number;
  readonly columns: readonly NumberColumn[];
}

/**
 * The columns of a stream of one record batch whose columns are all integers, floats or times in ms, without nulls. Every length is compared with what there
 * is before it is used.
 * @returns undefined for any other message
 * @throws RangeError where it says of itself what cannot be
 */
export function streamColumns(message: Buffer): NumberColumns | undefined {
  const schema = partAt(message, 0);
  if (schema?.type !== SCHEMA || schema.header.int16(0) !== 0) return undefined;
  const fields = schema.header.tables(1, message.length);
  const types = fields?.map((field) => ({ name: field.text(0), dtype: dtypeOf(field) }));
  const batch = partAt(message, schema.end);
  if (types === undefined || batch?.type !== RECORD_BATCH || !endsAt(message, batch.end)) return undefined;

  const [rows, nodes, buffers] = [batch.header.int64(0), batch.header.structs(1), batch.header.structs(2)];
  if (batch.header.has(3) || nodes?.length !== types.length || buffers?.length !== 2 * types.length) return undefined;
  const columns: NumberColumn[] = [];
  for (const [i, { name, dtype }] of types.entries()) {
    if (name === undefined || dtype === undefined) return undefined;
    if (nodes.int64(i * STRUCT) !== rows || nodes.int64(i * STRUCT + 8) !== 0) return undefined;
    const at = 2 * i * STRUCT;
    const [valid, offset, length] = [at + 8, at + STRUCT, at + STRUCT + 8].map(buffers.int64) as [
      number,
      number,
      number,
    ];
    const from = batch.body + offset;
    if (valid !== 0 || !(offset >= 0 && length >= 0 && from % 8 === 0 && from + length <= batch.end)) return undefined;
    columns.push({ name, dtype, from, to: from + length });
  }
  return { rows, columns };
}

interface Part {
  readonly type: number;
  readonly header: Table;
  readonly body: number;
  readonly end: number;
}

function partAt(message: Buffer, at: number): Part | undefined {
  if (at + PREFIX > message.length || message.readInt32LE(at) !== CONTINUATION) return undefined;
  const length = message.readInt32LE(at + 4);
  const body = at + PREFIX + length;
  if (length <= 0 || body > message.length) return undefined;
  const view = new DataView(message.buffer, message.byteOffset + at + PREFIX, length);
  const table = new Table(view, view.getUint32(0, true));
  const [header, bodyLength] = [table.table(2), table.int64(3)];
  if (header === undefined || !(bodyLength >= 0 && body + bodyLength <= message.length)) return undefined;
  return { type: table.uint8(1), header, body, end: body + bodyLength };
}

/** Whether there is nothing more than the end of the stream. */
function endsAt(message: Buffer, at: number): boolean {
  if (at === message.length) return true;
  return (
    at + PREFIX === message.length && message.readInt32LE(at) === CONTINUATION && message.readInt32LE(at + 4) === 0
  );
}

function dtypeOf(field: Table): string | undefined {
  const [type, of] = [field.uint8(2), field.table(3)];
  if (of === undefined || field.has(4)) return undefined;
  if (type === INT) return `${of.uint8(1) === 0 ? "U" : ""}Int${of.int32(0)}`;
  if (type === FLOATING_POINT) return PRECISIONS[of.int16(0)];
  return type === TIMESTAMP && of.int16(0) === MILLISECOND && !of.has(1) ? "Datetime(ms)" : undefined;
}

/** A table of a flatbuffer (flatbuffers.dev/internals): its fields are found by a table of where they are. One that is absent is 0, or nothing. */
class Table {
  readonly #view: DataView;
  readonly #at: number;

  constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
  }

  has(field: number): boolean {
    return this.#place(field) !== undefined;
  }

  uint8(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : this.#view.getUint8(place);
  }

  int16(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : this.#view.getInt16(place, true);
  }

  int32(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : this.#view.getInt32(place, true);
  }

  int64(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : Number(this.#view.getBigInt64(place, true));
  }

  text(field: number): string | undefined {
    const vector = this.#vector(field);
    if (vector === undefined) return undefined;
    const { buffer, byteOffset, byteLength } = this.#view;
    if (vector.at + vector.length > byteLength) throw new RangeError("a text ends behind what holds it");
    return Buffer.from(buffer, byteOffset + vector.at, vector.length).toString();
  }

  table(field: number): Table | undefined {
    const place = this.#place(field);
    return place === undefined ? undefined : this.#tableAt(place);
  }

  /** @param most there cannot be so many */
  tables(field: number, most: number): Table[] | undefined {
    const vector = this.#vector(field);
    if (vector === undefined || vector.length > most) return undefined;
    return Array.from({ length: vector.length }, (_, i) => this.#tableAt(vector.at + 4 * i));
  }

  /** How many there are, and the integers in them by their place from the first on. */
  structs(field: number): { readonly length: number; readonly int64: (from: number) => number } | undefined {
    const vector = this.#vector(field);
    const view = this.#view;
    return vector && { length: vector.length, int64: (from) => Number(view.getBigInt64(vector.at + from, true)) };
  }

  #vector(field: number): { readonly at: number; readonly length: number } | undefined {
    const place = this.#place(field);
    if (place === undefined) return undefined;
    const at = place + this.#view.getUint32(place, true);
    return { at: at + 4, length: this.#view.getUint32(at, true) };
  }

  #tableAt(place: number): Table {
    return new Table(this.#view, place + this.#view.getUint32(place, true));
  }

  #place(field: number): number | undefined {
    const fields = this.#at - this.#view.getInt32(this.#at, true);
    const entry = 4 + 2 * field;
    if (entry >= this.#view.getUint16(fields, true)) return undefined;
    const offset = this.#view.getUint16(fields + entry, true);
    return offset === 0 ? undefined : this.#at + offset;
  }
}
