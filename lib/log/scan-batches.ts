import { crc32c } from "./checksum.ts";
import { COMPRESSIONS, decompress, MAX_DECOMPRESSED } from "./compression.ts";
import type { DecodeOptions } from "./decode.ts";
import { CorruptRecords, recordsPlace } from "./errors.ts";
import {
  ATTRIBUTES_AT,
  COMPRESSION_MASK,
  CONTROL,
  COUNT_AT,
  CRC_AT,
  HEADER_BYTES,
  LENGTH_PREFIX,
  LOG_APPEND_TIME,
  MAGIC_AT,
  MIN_RECORD_BYTES,
  readInt64,
  TRANSACTIONAL,
} from "./record-batch.ts";
import { isAbortMarker } from "./walk-records.ts";

/** Numbers per batch in {@link Scan.sections}. */
export const FIELDS = 6;

/** What {@link scanBatches} found: the bytes records are in, and six numbers per batch. */
export interface Scan {
  bytes: Buffer;
  /** start, end, record count, base offset, base timestamp, log-append timestamp or NaN */
  sections: number[];
  records: number;
  nextOffset: number;
}

/** One step per batch: its header is checked, its records decompressed, and whether they count is decided. */
export function scanBatches(buffer: Buffer, options: DecodeOptions): Scan {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const sections: number[] = [];
  const blocks: Buffer[] = [];
  const aborted = options.abortedTransactions && new AbortedRanges(options.abortedTransactions);
  const fromOffset = options.fromOffset ?? 0;
  let compressed = false;
  let room = options.maxDecompressed ?? MAX_DECOMPRESSED;
  let records = 0;
  let nextOffset = fromOffset;

  for (let at = 0; at + HEADER_BYTES <= buffer.length; ) {
    const baseOffset = readInt64(view, at);
    const end = at + LENGTH_PREFIX + view.getInt32(at + 8);
    const magic = view.getInt8(at + MAGIC_AT);
    if (magic !== 2) throw new CorruptRecords(unknownFormat(magic), recordsPlace(options, baseOffset));
    if (end < at + HEADER_BYTES)
      throw new CorruptRecords("A record batch is shorter than its header.", recordsPlace(options, baseOffset));
    if (end > buffer.length) break; // cut off: the rest comes with the next fetch
    if (options.checkCrc !== false && crc32c(buffer, at + ATTRIBUTES_AT, end) !== view.getUint32(at + CRC_AT))
      throw new CorruptRecords("The checksum of a record batch is wrong.", recordsPlace(options, baseOffset));

    const attributes = view.getInt16(at + ATTRIBUTES_AT);
    const lastOffset = baseOffset + view.getInt32(at + 23);
    const count = view.getInt32(at + COUNT_AT);
    if (!(baseOffset >= 0) || lastOffset < baseOffset || count < 0)
      throw new CorruptRecords("The header of a record batch makes no sense.", recordsPlace(options, baseOffset));
    const codec = COMPRESSIONS[attributes & COMPRESSION_MASK];
    if (codec === undefined)
      throw new CorruptRecords(unknownCodec(attributes & COMPRESSION_MASK), recordsPlace(options, baseOffset));

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
        block = decompress(buffer.subarray(start, end), codec, room);
      } catch (cause) {
        const what = `A record batch does not decompress (${codec}): ${(cause as Error).message}`;
        throw new CorruptRecords(what, recordsPlace(options, baseOffset), cause);
      }
      room -= block.length;
      length = block.length;
    }
    if (count * MIN_RECORD_BYTES > length)
      throw new CorruptRecords(
        `A record batch claims ${count} records in ${length} bytes.`,
        recordsPlace(options, baseOffset),
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

const unknownCodec = (code: number) =>
  `A record batch is compressed in a way that is not known (${code}); there are ${COMPRESSIONS.map((name, i) => `${name} (${i})`).join(", ")}.`;

const unknownFormat = (magic: number) =>
  magic === 0 || magic === 1
    ? `The log holds messages of format v${magic} (Kafka before 0.11); only record batches, v2, are read.`
    : `Unknown message format ${magic}; only record batches, v2, are read.`;
