import { ATTRIBUTES_AT, COMPRESSION_MASK, COUNT_AT, HEADER_BYTES, LENGTH_PREFIX, readInt64 } from "./record-batch.ts";

const NOTHING = new Uint32Array(0);
/** The columns of no records. */
export const EMPTY = {
  count: 0,
  keys: { bytes: new Uint8Array(0), starts: NOTHING, ends: NOTHING },
  values: { bytes: new Uint8Array(0), starts: NOTHING, ends: NOTHING },
  timestamps: new Float64Array(0),
  offsets: new Float64Array(0),
};

/** The offset behind the last whole batch, by a hop per batch; the decoder checks what lies between. */
export function nextOffset(records: Buffer, from: number): number {
  let next = from;
  hop(records, (view, at) => {
    next = Math.max(next, readInt64(view, at) + view.getInt32(at + 23) + 1);
  });
  return next;
}

/** The records without a last batch that is cut off. */
export function wholeBatches(records: Buffer): Buffer {
  return records.subarray(0, hop(records));
}

/** @returns where the last whole batch ends */
function hop(records: Buffer, each: (view: DataView, at: number) => void = () => {}): number {
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  let at = 0;
  while (at + HEADER_BYTES <= records.length) {
    const end = at + LENGTH_PREFIX + view.getInt32(at + 8);
    if (end > records.length || end < at + HEADER_BYTES) break;
    each(view, at);
    at = end;
  }
  return at;
}

/** Whether the first batch is whole; a broker always sends one whole batch, however large. */
export function readable(records: Buffer): boolean {
  return LENGTH_PREFIX + records.readInt32BE(8) <= records.length;
}

/** Of so many bytes a record costs no more to decode than to copy, if it is not compressed. */
const LARGE = 4096;

/** Whether the first record batch is not compressed and its records are large. */
export function holdsLargeRecords(records: Buffer): boolean {
  if (records.length < HEADER_BYTES) return false;
  const count = records.readInt32BE(COUNT_AT);
  return (
    count > 0 &&
    (records.readInt16BE(ATTRIBUTES_AT) & COMPRESSION_MASK) === 0 &&
    records.readInt32BE(8) >= LARGE * count
  );
}
