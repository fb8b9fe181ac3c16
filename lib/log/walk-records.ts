import type { RecordHeader } from "./columns.ts";
import type { DecodedRecords, DecodeOptions } from "./decode.ts";
import { CorruptRecords, recordsPlace } from "./errors.ts";
import { MIN_RECORD_BYTES } from "./record-batch.ts";
import { FIELDS, type Scan } from "./scan-batches.ts";

const NEWLINE = 10;
const SPACE = 32;

/** One step per record. Every length is compared with the end of what holds it before it is used. */
export function walkRecords(scan: Scan, options: DecodeOptions): DecodedRecords {
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
  const aligned = options.aligned === true;
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

      if (aligned) {
        const next = to + (-(bytes.byteOffset + to) & 7);
        if (next <= valueAt) to = next;
      }
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

/** Whether the control batch between `start` and `end` ends a transaction by an abort. */
export function isAbortMarker(bytes: Buffer, start: number, end: number): boolean {
  varint(bytes, start); // length
  varlong(bytes, after + 1);
  varint(bytes, after); // offset delta
  const keyLength = varint(bytes, after);
  return keyLength >= 4 && after + 4 <= end && bytes.readInt16BE(after + 2) === 0;
}

function grown(bytes: Buffer<ArrayBuffer>, used: number, needed: number): Buffer<ArrayBuffer> {
  const bigger = Buffer.allocUnsafeSlow(Math.max(needed, bytes.length * 2));
  bytes.copy(bigger, 0, 0, used);
  return bigger;
}

const corrupt = (options: DecodeOptions, baseOffset: number, index: number) =>
  new CorruptRecords(`Record ${index + 1} of a batch does not fit into it.`, recordsPlace(options, baseOffset));
