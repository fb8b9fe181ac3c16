import { crc32c } from "./checksum.ts";
import type { RecordColumns, RecordHeader } from "./columns.ts";
import { COMPRESSIONS, decompress } from "./compression.ts";
import { CorruptRecords } from "./errors.ts";
import {
  ATTRIBUTES_AT,
  COMPRESSION_MASK,
  CONTROL,
  CRC_AT,
  HEADER_BYTES,
  LENGTH_PREFIX,
  LOG_APPEND_TIME,
  MAGIC_AT,
  MIN_RECORD_BYTES,
  readInt64,
  TRANSACTIONAL,
} from "./record-batch.ts";

export interface DecodeOptions {
  /** For error messages. */
  topic?: string;
  partition?: number;
  /** Records before this offset are left out: a fetch answers with whole batches. */
  fromOffset?: number;
  /** Transactions of the fetch response that were aborted; their records are left out. Absent: read uncommitted. */
  abortedTransactions?: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** Decode headers; false by default. */
  headers?: boolean;
  /** A newline inside a value becomes a space (the default), so that a line is a record, or stays. */
  newlines?: "space" | "keep";
  /** Verify checksums; true by default. */
  checkCrc?: boolean;
}

export interface DecodedRecords extends RecordColumns {
  readonly offsets: Float64Array;
  /** The offset to fetch next: behind the last complete batch, whether or not its records are in the columns. */
  readonly nextOffset: number;
}

const NEWLINE = 10;
const SPACE = 32;
const FIELDS = 6;

/**
 * Record batches (format v2, one after another, as a fetch response holds them) to columns.
 *
 * **The bytes are consumed**: values are moved together inside `bytes` (a value with its newline is shorter than its record), so
 * nothing is allocated for them and `values.bytes` is a view of the same memory. Keys are followed by a newline as well.
 * A batch cut off at the end is ignored; control batches and records of aborted transactions are left out.
 *
 * @throws {CorruptRecords} naming topic, partition and offset: a wrong checksum, lengths that do not fit, message formats before v2
 */
export function decodeRecordBatches(bytes: Uint8Array, options: DecodeOptions = {}): DecodedRecords {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const scan = scanBatches(buffer, options);
  return walkRecords(scan, options);
}

/** What {@link scanBatches} found: the bytes records are in, and six numbers per batch. */
interface Scan {
  bytes: Buffer;
  /** start, end, record count, base offset, base timestamp, log-append timestamp or NaN */
  sections: number[];
  records: number;
  nextOffset: number;
}

/** One step per batch: its header is checked, its records decompressed, and whether they count is decided. */
function scanBatches(buffer: Buffer, options: DecodeOptions): Scan {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const sections: number[] = [];
  const blocks: Buffer[] = [];
  const aborted = options.abortedTransactions && new AbortedRanges(options.abortedTransactions);
  const fromOffset = options.fromOffset ?? 0;
  let compressed = false;
  let records = 0;
  let nextOffset = fromOffset;

  for (let at = 0; at + HEADER_BYTES <= buffer.length; ) {
    const baseOffset = readInt64(view, at);
    const end = at + LENGTH_PREFIX + view.getInt32(at + 8);
    const magic = view.getInt8(at + MAGIC_AT);
    if (magic !== 2) throw new CorruptRecords(unknownFormat(magic), place(options, baseOffset));
    if (end < at + HEADER_BYTES)
      throw new CorruptRecords("A record batch is shorter than its header.", place(options, baseOffset));
    if (end > buffer.length) break; // cut off: the rest comes with the next fetch
    if (options.checkCrc !== false && crc32c(buffer, at + ATTRIBUTES_AT, end) !== view.getUint32(at + CRC_AT))
      throw new CorruptRecords("The checksum of a record batch is wrong.", place(options, baseOffset));

    const attributes = view.getInt16(at + ATTRIBUTES_AT);
    const lastOffset = baseOffset + view.getInt32(at + 23);
    const count = view.getInt32(at + 57);
    const codec = COMPRESSIONS[attributes & COMPRESSION_MASK];
    if (!(baseOffset >= 0) || lastOffset < baseOffset || count < 0 || codec === undefined)
      throw new CorruptRecords("The header of a record batch makes no sense.", place(options, baseOffset));

    const start = at + HEADER_BYTES;
    at = end;
    if (lastOffset < fromOffset) continue;
    if (lastOffset >= nextOffset) nextOffset = lastOffset + 1;
    const producerId = readInt64(view, start - HEADER_BYTES + 43);
    aborted?.startedBy(lastOffset);
    if (attributes & CONTROL) {
      if (aborted !== undefined && isAbortMarker(buffer, start, end)) aborted.ended(producerId);
      continue;
    }
    if (attributes & TRANSACTIONAL && aborted?.has(producerId)) continue;
    if (count === 0) continue;

    let length = end - start;
    let block: Buffer | undefined;
    if (codec !== "none") {
      compressed = true;
      try {
        block = decompress(buffer.subarray(start, end), codec);
      } catch (cause) {
        throw new CorruptRecords(`A record batch does not decompress (${codec}).`, place(options, baseOffset), cause);
      }
      length = block.length;
    }
    if (count * MIN_RECORD_BYTES > length)
      throw new CorruptRecords(
        `A record batch claims ${count} records in ${length} bytes.`,
        place(options, baseOffset),
      );
    blocks.push(block ?? buffer.subarray(start, end));
    const appendTime = attributes & LOG_APPEND_TIME ? readInt64(view, start - HEADER_BYTES + 35) : Number.NaN;
    sections.push(start, end, count, baseOffset, readInt64(view, start - HEADER_BYTES + 27), appendTime);
    records += count;
  }

  if (!compressed) return { bytes: buffer, sections, records, nextOffset };
  // the walk wants one buffer: decompressed blocks one after another
  const joined = blocks.length === 1 ? blocks[0]! : Buffer.concat(blocks);
  for (let i = 0, at = 0; i < blocks.length; i++) {
    sections[i * FIELDS] = at;
    at += blocks[i]!.length;
    sections[i * FIELDS + 1] = at;
  }
  return { bytes: joined, sections, records, nextOffset };
}

/** One step per record. Every length is compared with the end of what holds it before it is used. */
function walkRecords(scan: Scan, options: DecodeOptions): DecodedRecords {
  const { bytes, sections, records } = scan;
  const fromOffset = options.fromOffset ?? 0;
  const spaces = options.newlines !== "keep";
  const keyStarts = new Uint32Array(records);
  const keyEnds = new Uint32Array(records);
  const starts = new Uint32Array(records);
  const ends = new Uint32Array(records);
  const timestamps = new Float64Array(records);
  const offsets = new Float64Array(records);
  const headers: (readonly RecordHeader[] | undefined)[] | undefined = options.headers ? new Array(records) : undefined;
  let keyNulls: Uint8Array | undefined;
  let nulls: Uint8Array | undefined;
  let keys = Buffer.allocUnsafeSlow(Math.max(64, records * 16));
  let keyTo = 0;
  const base = sections[0] ?? 0;
  let to = base;
  let row = 0;

  for (let section = 0; section < sections.length; section += FIELDS) {
    let at = sections[section]!;
    const end = sections[section + 1]!;
    const count = sections[section + 2]!;
    const baseOffset = sections[section + 3]!;
    const baseTimestamp = sections[section + 4]!;
    const appendTime = sections[section + 5]!;
    const appended = !Number.isNaN(appendTime);

    for (let i = 0; i < count; i++) {
      const length = varint(bytes, at);
      const recordEnd = after + length;
      if (!(length >= MIN_RECORD_BYTES - 1 && recordEnd <= end)) throw corrupt(options, baseOffset, i);
      const timestampDelta = varlong(bytes, after + 1); // behind the attributes
      const offset = baseOffset + varint(bytes, after);
      const keyLength = varint(bytes, after);
      const keyAt = after;
      at = keyLength > 0 ? keyAt + keyLength : keyAt;
      if (!(keyLength >= -1 && at < recordEnd && offset >= baseOffset && !Number.isNaN(timestampDelta)))
        throw corrupt(options, baseOffset, i);
      const valueLength = varint(bytes, at);
      const valueAt = after;
      const valueEnd = valueLength > 0 ? valueAt + valueLength : valueAt;
      if (!(valueLength >= -1 && valueEnd < recordEnd)) throw corrupt(options, baseOffset, i);
      at = recordEnd;
      if (offset < fromOffset) continue;

      if (headers !== undefined) {
        const found = readHeaders(bytes, valueEnd, recordEnd);
        if (found === false) throw corrupt(options, baseOffset, i);
        headers[row] = found;
      }

      if (keyTo + keyLength + 1 > keys.length) keys = grown(keys, keyTo, keyTo + keyLength + 1);
      keyStarts[row] = keyTo;
      if (keyLength > 24) {
        bytes.copy(keys, keyTo, keyAt, keyAt + keyLength);
        keyTo += keyLength;
      } else if (keyLength >= 0) {
        for (let from = keyAt; from < keyAt + keyLength; from++) keys[keyTo++] = bytes[from]!;
      } else {
        keyNulls ??= new Uint8Array(records);
        keyNulls[row] = 1;
      }
      keyEnds[row] = keyTo;
      keys[keyTo++] = NEWLINE;

      const start = to;
      if (valueLength > 0) {
        bytes.copyWithin(to, valueAt, valueEnd);
        to += valueLength;
      } else if (valueLength < 0) {
        nulls ??= new Uint8Array(records);
        nulls[row] = 1;
      }
      bytes[to] = NEWLINE;
      if (spaces && valueLength > 0) {
        for (let found = bytes.indexOf(NEWLINE, start); found < to; found = bytes.indexOf(NEWLINE, found + 1))
          bytes[found] = SPACE;
      }
      starts[row] = start - base;
      ends[row] = to - base;
      to++;

      timestamps[row] = appended ? appendTime : baseTimestamp + timestampDelta;
      offsets[row] = offset;
      row++;
    }
  }

  const whole = row === records;
  const cut = <T extends Uint32Array | Uint8Array | Float64Array>(column: T): T =>
    whole ? column : (column.subarray(0, row) as T);
  return {
    count: row,
    keys: {
      bytes: keys.subarray(0, keyTo),
      starts: cut(keyStarts),
      ends: cut(keyEnds),
      ...(keyNulls && { nulls: cut(keyNulls) }),
    },
    values: {
      bytes: bytes.subarray(base, to),
      starts: cut(starts),
      ends: cut(ends),
      ...(nulls && { nulls: cut(nulls) }),
    },
    timestamps: cut(timestamps),
    offsets: cut(offsets),
    ...(headers && { headers: whole ? headers : headers.slice(0, row) }),
    nextOffset: scan.nextOffset,
  };
}

/** Where the last {@link varint} or {@link varlong} ended. */
let after = 0;

/** NaN when longer than five bytes; bytes beyond the buffer count as zero, which the caller's comparison of ends catches. */
function varint(bytes: Uint8Array, at: number): number {
  let byte = bytes[at]!;
  if (byte < 0x80) {
    after = at + 1;
    return (byte >>> 1) ^ -(byte & 1);
  }
  let raw = byte & 0x7f;
  byte = bytes[at + 1]!;
  raw |= (byte & 0x7f) << 7;
  if (byte < 0x80) {
    after = at + 2;
    return (raw >>> 1) ^ -(raw & 1);
  }
  for (let i = 2, shift = 14; i < 5; i++, shift += 7) {
    byte = bytes[at + i]!;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      after = at + i + 1;
      return (raw >>> 1) ^ -(raw & 1);
    }
  }
  return Number.NaN;
}

function varlong(bytes: Uint8Array, at: number): number {
  let raw = 0;
  for (let i = 0, shift = 0; i < 4; i++, shift += 7) {
    const byte = bytes[at + i]!;
    raw |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      after = at + i + 1;
      return (raw >>> 1) ^ -(raw & 1);
    }
  }
  let wide = raw;
  for (let i = 4, scale = 2 ** 28; i < 10; i++, scale *= 128) {
    const byte = bytes[at + i]!;
    wide += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      after = at + i + 1;
      return wide % 2 === 0 ? wide / 2 : -(wide + 1) / 2;
    }
  }
  return Number.NaN;
}

/** Copies of the headers between `at` and `end`; undefined for none, false when they do not fit. */
function readHeaders(bytes: Buffer, at: number, end: number): readonly RecordHeader[] | undefined | false {
  const count = varint(bytes, at);
  if (count === 0) return undefined;
  if (!(count > 0 && count * 2 <= end - after)) return false;
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const keyLength = varint(bytes, after);
    const keyAt = after;
    if (!(keyLength >= 0 && keyAt + keyLength < end)) return false;
    const valueLength = varint(bytes, keyAt + keyLength);
    const valueAt = after;
    if (!(valueLength >= -1 && valueAt + Math.max(valueLength, 0) <= end)) return false;
    const value = valueLength < 0 ? null : Buffer.from(bytes.subarray(valueAt, valueAt + valueLength));
    headers.push({ key: Buffer.from(bytes.subarray(keyAt, keyAt + keyLength)), value });
    after = valueAt + Math.max(valueLength, 0);
  }
  return headers;
}

function isAbortMarker(bytes: Buffer, start: number, end: number): boolean {
  varint(bytes, start); // length
  varlong(bytes, after + 1);
  varint(bytes, after); // offset delta
  const keyLength = varint(bytes, after);
  return keyLength >= 4 && after + 4 <= end && bytes.readInt16BE(after + 2) === 0;
}

/** The producers whose transaction, aborted in the end, is open at the batch in hand. */
class AbortedRanges {
  readonly #waiting: { readonly producerId: number; readonly firstOffset: number }[];
  readonly #open = new Set<number>();
  #next = 0;

  constructor(transactions: readonly { readonly producerId: number; readonly firstOffset: number }[]) {
    this.#waiting = [...transactions].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  startedBy(offset: number): void {
    while (this.#next < this.#waiting.length && this.#waiting[this.#next]!.firstOffset <= offset)
      this.#open.add(this.#waiting[this.#next++]!.producerId);
  }

  ended(producerId: number): void {
    this.#open.delete(producerId);
  }

  has(producerId: number): boolean {
    return this.#open.has(producerId);
  }
}

function grown(bytes: Buffer<ArrayBuffer>, used: number, needed: number): Buffer<ArrayBuffer> {
  const bigger = Buffer.allocUnsafeSlow(Math.max(needed, bytes.length * 2));
  bytes.copy(bigger, 0, 0, used);
  return bigger;
}

const corrupt = (options: DecodeOptions, baseOffset: number, index: number) =>
  new CorruptRecords(`Record ${index + 1} of a batch does not fit into it.`, place(options, baseOffset));

const place = ({ topic = "?", partition }: DecodeOptions, offset: number) =>
  `topic ${topic}, partition ${partition ?? "?"}, batch at offset ${offset}`;

const unknownFormat = (magic: number) =>
  magic === 0 || magic === 1
    ? `The log holds messages of format v${magic} (Kafka before 0.11); only record batches, v2, are read.`
    : `Unknown message format ${magic}; only record batches, v2, are read.`;
