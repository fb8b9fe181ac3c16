/*
  Arrow IPC (arrow.apache.org/docs/format/Columnar.html, format/Message.fbs): a stream is encapsulated messages one behind the other, a file the same behind "ARROW1\0\0" and before a footer.

  message => FFFFFFFF, INT32 length of the metadata, metadata (a flatbuffer, padded to 8 bytes), body
  Message => 0 version, 1 header type (UINT8), 2 header, 3 bodyLength (INT64)
  Schema => 0 endianness (INT16: 0 little, 1 big), …
  RecordBatch => 0 length (INT64), 1 nodes [INT64 length, INT64 nulls], 2 buffers [INT64 offset, INT64 length], 3 compression

  A column of numbers has one node and two buffers: which values are valid, and the values.
*/

const SCHEMA = 1;
const RECORD_BATCH = 3;
const FILE_HEAD = 8;
const STRUCT = 16;

/** The only record batch of a message: its rows, and where the values of each of its columns begin and end, in bytes from the beginning of the message. */
export interface BatchPlaces {
  readonly rows: number;
  readonly values: readonly { readonly from: number; readonly to: number }[];
}

/**
 * Finds the record batch of an Arrow message whose columns are numbers without nulls. Every length is compared with what there is before it is used.
 * @param columns how many there are
 * @returns undefined where the message has no batch, a compressed one, nulls, other columns, or another order of bytes
 * @throws RangeError where it says of itself what cannot be
 */
export function findBatch(message: Buffer, isFile: boolean, columns: number): BatchPlaces | undefined {
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  for (let at = isFile ? FILE_HEAD : 0; ; ) {
    const length = view.getInt32(at + 4, true);
    if (view.getInt32(at, true) !== -1 || length <= 0) return undefined;
    const body = at + 8 + length;
    const table = root(new DataView(message.buffer, message.byteOffset + at + 8, length));
    const [type, header] = [table.uint8(1), table.table(2)];
    const bodyLength = table.int64(3);
    if (header === undefined || !(bodyLength >= 0)) return undefined;
    if (type === RECORD_BATCH) return placesOf(header, body, message.length, columns);
    if (type !== SCHEMA || header.uint8(0) !== 0) return undefined;
    at = body + bodyLength;
  }
}

function placesOf(batch: Table, body: number, end: number, columns: number): BatchPlaces | undefined {
  const [rows, nodes, buffers] = [batch.int64(0), batch.vector(1), batch.vector(2)];
  if (batch.has(3) || nodes?.length !== columns || buffers?.length !== 2 * columns) return undefined;
  const values: { from: number; to: number }[] = [];
  for (let i = 0; i < columns; i++) {
    if (nodes.int64(i * STRUCT) !== rows || nodes.int64(i * STRUCT + 8) !== 0) return undefined;
    const at = (2 * i + 1) * STRUCT;
    const [offset, length] = [buffers.int64(at), buffers.int64(at + 8)];
    const from = body + offset;
    if (!(offset >= 0 && length >= 0 && from % 8 === 0 && from + length <= end)) return undefined;
    values.push({ from, to: from + length });
  }
  return { rows, values };
}

function root(view: DataView): Table {
  return new Table(view, view.getUint32(0, true));
}

/** A table of a flatbuffer (flatbuffers.dev/internals): its fields are found by a table of where they are. */
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

  /** 0 where it is absent, as for the other numbers. */
  uint8(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : this.#view.getUint8(place);
  }

  int64(field: number): number {
    const place = this.#place(field);
    return place === undefined ? 0 : Number(this.#view.getBigInt64(place, true));
  }

  table(field: number): Table | undefined {
    const place = this.#place(field);
    return place === undefined ? undefined : new Table(this.#view, place + this.#view.getUint32(place, true));
  }

  /** A vector of structs: how many, and the integers in them by their place from the first on. */
  vector(field: number): { readonly length: number; int64(at: number): number } | undefined {
    const place = this.#place(field);
    if (place === undefined) return undefined;
    const at = place + this.#view.getUint32(place, true);
    const view = this.#view;
    return { length: view.getUint32(at, true), int64: (from) => Number(view.getBigInt64(at + 4 + from, true)) };
  }

  #place(field: number): number | undefined {
    const fields = this.#at - this.#view.getInt32(this.#at, true);
    const entry = 4 + 2 * field;
    if (entry >= this.#view.getUint16(fields, true)) return undefined;
    const offset = this.#view.getUint16(fields + entry, true);
    return offset === 0 ? undefined : this.#at + offset;
  }
}
