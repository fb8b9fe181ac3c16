import { crc32c as native } from "@node-rs/crc32";

/** Below this many bytes a table in JavaScript is quicker than the call into native code. */
const SMALL = 192;

const TABLE = new Int32Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  TABLE[i] = crc;
}

/** CRC-32C (Castagnoli) of `bytes[from .. to)`, unsigned. */
export function crc32c(bytes: Buffer, from: number, to: number): number {
  if (to - from > SMALL) return native(bytes.subarray(from, to)) >>> 0;
  let crc = -1;
  for (let i = from; i < to; i++) crc = TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
