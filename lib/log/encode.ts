import { crc32c } from "./checksum.ts";
import type { RecordColumns, RecordHeader } from "./columns.ts";
import { COMPRESSIONS, type Compression, compress } from "./compression.ts";
import {
  ATTRIBUTES_AT,
  CRC_AT,
  HEADER_BYTES,
  LENGTH_PREFIX,
  MAGIC_AT,
  TRANSACTIONAL,
  writeInt64,
} from "./record-batch.ts";

export interface EncodeOptions {
  compression?: Compression;
  /** First record to encode; 0 by default. */
  from?: number;
  /** The batch ends before it would exceed this many bytes uncompressed (one record always fits); no limit by default. */
  maxBytes?: number;
  /** At most this many records. */
  maxRecords?: number;
  transactional?: boolean;
  /** Who sends it, and as which of its messages to the partition; an idempotent producer's. */
  producer?: { readonly id: number; readonly epoch: number; readonly sequence: number };
}

export interface EncodedBatch {
  /** A whole record batch; base offset 0, which the broker replaces. */
  readonly bytes: Buffer;
  readonly count: number;
  /** The first record not in it. */
  readonly next: number;
}

/** The most a record takes besides key, value and headers: four varints of 5 bytes, one varlong of 10, attributes, header count. */
const RECORD_OVERHEAD = 36;

/**
 * Columns to one record batch (format v2): records `from`, `from + 1`, … until `maxBytes`, `maxRecords` or the end.
 */
export function encodeRecordBatch(columns: RecordColumns, options: EncodeOptions = {}): EncodedBatch {
  const { from = 0, maxBytes = Number.POSITIVE_INFINITY, maxRecords = Number.POSITIVE_INFINITY } = options;
  const { keys, values, timestamps, headers } = columns;
  const keyBytes = asBuffer(keys.bytes);
  const valueBytes = asBuffer(values.bytes);
  const last = Math.min(columns.count, from + maxRecords);

  let to = from;
  let room = HEADER_BYTES;
  for (; to < last; to++) {
    const size =
      RECORD_OVERHEAD +
      keys.ends[to]! -
      keys.starts[to]! +
      values.ends[to]! -
      values.starts[to]! +
      headerRoom(headers?.[to]);
    if (room + size > maxBytes && to > from) break;
    room += size;
  }

  const bytes = Buffer.allocUnsafeSlow(room);
  const baseTimestamp = timestamps[from] ?? 0;
  let maxTimestamp = baseTimestamp;
  let at = HEADER_BYTES;
  for (let row = from; row < to; row++) {
    const keyStart = keys.starts[row]!;
    const keyEnd = keys.ends[row]!;
    const valueStart = values.starts[row]!;
    const valueEnd = values.ends[row]!;
    const keyLength = keys.nulls?.[row] === 1 ? -1 : keyEnd - keyStart;
    const valueLength = values.nulls?.[row] === 1 ? -1 : valueEnd - valueStart;
    const timestamp = timestamps[row]!;
    if (timestamp > maxTimestamp) maxTimestamp = timestamp;

    // the body is written behind room for the longest length, then moved up to the length it has
    const body = at + 5;
    bytes[body] = 0;
    let end = writeVarlong(bytes, body + 1, timestamp - baseTimestamp);
    end = writeVarint(bytes, end, row - from);
    end = writeVarint(bytes, end, keyLength);
    if (keyLength > 0) end = copy(keyBytes, keyStart, keyEnd, bytes, end);
    end = writeVarint(bytes, end, valueLength);
    // the value is not moved: its length, known here, gives the record's when there are no headers
    const record = headers?.[row];
    const prefix = end - body;
    const rest = record === undefined ? 1 : headersLength(record);
    const length = prefix + Math.max(valueLength, 0) + rest;
    const front = writeVarint(bytes, at, length);
    bytes.copyWithin(front, body, end);
    at = front + prefix;
    if (valueLength > 0) at = copy(valueBytes, valueStart, valueEnd, bytes, at);
    if (record === undefined) bytes[at++] = 0;
    else at = writeHeaders(bytes, at, record);
  }

  const compression = options.compression ?? "none";
  const whole =
    compression === "none"
      ? bytes.subarray(0, at)
      : Buffer.concat([bytes.subarray(0, HEADER_BYTES), compress(bytes.subarray(HEADER_BYTES, at), compression)]);
  const view = new DataView(whole.buffer, whole.byteOffset, HEADER_BYTES);
  writeInt64(view, 0, 0);
  view.setInt32(8, whole.length - LENGTH_PREFIX);
  view.setInt32(12, -1);
  view.setInt8(MAGIC_AT, 2);
  view.setInt16(ATTRIBUTES_AT, COMPRESSIONS.indexOf(compression) | (options.transactional ? TRANSACTIONAL : 0));
  view.setInt32(23, Math.max(to - from - 1, 0));
  writeInt64(view, 27, baseTimestamp);
  writeInt64(view, 35, maxTimestamp);
  view.setInt32(57, to - from);
  writeInt64(view, 43, options.producer?.id ?? -1);
  view.setInt16(51, options.producer?.epoch ?? -1);
  view.setInt32(53, options.producer?.sequence ?? -1);
  view.setUint32(CRC_AT, crc32c(whole, ATTRIBUTES_AT, whole.length));
  return { bytes: whole, count: to - from, next: to };
}

/** All records as batches of at most `maxBytes`. */
export function encodeRecordBatches(columns: RecordColumns, options: EncodeOptions = {}): EncodedBatch[] {
  const batches: EncodedBatch[] = [];
  for (let from = options.from ?? 0; from < columns.count; ) {
    const batch = encodeRecordBatch(columns, { ...options, from });
    batches.push(batch);
    from = batch.next;
  }
  return batches;
}

function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let raw = (value << 1) ^ (value >> 31);
  while ((raw & ~0x7f) !== 0) {
    bytes[at++] = (raw & 0x7f) | 0x80;
    raw >>>= 7;
  }
  bytes[at++] = raw;
  return at;
}

function writeVarlong(bytes: Uint8Array, at: number, value: number): number {
  if (value === value << 0 && value < 2 ** 30 && value > -(2 ** 30)) return writeVarint(bytes, at, value);
  let raw = value >= 0 ? value * 2 : -value * 2 - 1;
  while (raw >= 0x80) {
    bytes[at++] = (raw % 0x80) | 0x80;
    raw = Math.floor(raw / 0x80);
  }
  bytes[at++] = raw;
  return at;
}

function varintLength(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0;
  return raw < 2 ** 7 ? 1 : raw < 2 ** 14 ? 2 : raw < 2 ** 21 ? 3 : raw < 2 ** 28 ? 4 : 5;
}

function headerRoom(headers: readonly RecordHeader[] | undefined): number {
  let room = 0;
  if (headers !== undefined) for (const { key, value } of headers) room += 10 + key.length + (value?.length ?? 0);
  return room;
}

function headersLength(headers: readonly RecordHeader[]): number {
  let length = varintLength(headers.length);
  for (const { key, value } of headers)
    length += varintLength(key.length) + key.length + varintLength(value?.length ?? -1) + (value?.length ?? 0);
  return length;
}

function writeHeaders(bytes: Buffer, at: number, headers: readonly RecordHeader[]): number {
  let end = writeVarint(bytes, at, headers.length);
  for (const { key, value } of headers) {
    end = writeVarint(bytes, end, key.length);
    bytes.set(key, end);
    end = writeVarint(bytes, end + key.length, value === null ? -1 : value.length);
    if (value !== null) {
      bytes.set(value, end);
      end += value.length;
    }
  }
  return end;
}

/** Copies source[from .. to) to `at`; a loop where that is quicker than the call. Returns the end. */
function copy(source: Buffer, from: number, to: number, target: Buffer, at: number): number {
  if (to - from > 32) {
    source.copy(target, at, from, to);
    return at + to - from;
  }
  while (from < to) target[at++] = source[from++]!;
  return at;
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
