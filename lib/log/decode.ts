import type { RecordColumns } from "./columns.ts";
import { scanBatches } from "./scan-batches.ts";
import { walkRecords } from "./walk-records.ts";

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
  /** Values begin at addresses that are multiples of eight, wherever there is room for it: for numbers that are read where they lie. False by default. */
  aligned?: boolean;
  /** Verify checksums; true by default. */
  checkCrc?: boolean;
  /** Most bytes that compressed batches may grow to together; 512 MiB by default. */
  maxDecompressed?: number;
}

export interface DecodedRecords extends RecordColumns {
  readonly offsets: Float64Array;
  /** The offset to fetch next: behind the last complete batch, whether or not its records are in the columns. */
  readonly nextOffset: number;
}

/**
 * Record batches (format v2, one after another, as a fetch response holds them) to columns.
 *
 * **The bytes are consumed**: values are moved together inside `bytes` (a value with its newline is shorter than its record), so
 * nothing is allocated for them and `values.bytes` is a view of the same memory (bytes between `aligned` values hold anything). Keys are followed by a newline as well.
 * A batch cut off at the end is ignored; control batches and records of aborted transactions are left out.
 *
 * @throws {CorruptRecords} naming topic, partition and offset: a wrong checksum, lengths that do not fit, batches that grow beyond
 *   `maxDecompressed`, message formats before v2
 */
export function decodeRecordBatches(bytes: Uint8Array, options: DecodeOptions = {}): DecodedRecords {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return walkRecords(scanBatches(buffer, options), options);
}
