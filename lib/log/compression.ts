import zlib from "node:zlib";
import { compressionsAlgorithms } from "./kafka-package.ts";

export type Compression = "none" | "gzip" | "snappy" | "lz4" | "zstd";

/** In the order of the codes in a batch's attributes. */
export const COMPRESSIONS: readonly Compression[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** What the batches of one answer may grow to together: far above real ones, far below what ends a process. */
export const MAX_DECOMPRESSED = 512 * 2 ** 20;

/*
  Java's snappy streams: magic (0x82 "SNAPPY" 0x00), version INT32, compatible version INT32, then blocks of
  length INT32 and raw snappy. Others write one raw snappy block.
*/
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
const XERIAL_BLOCK = 32 * 1024;

export function compress(bytes: Buffer, compression: Compression): Buffer {
  switch (compression) {
    case "none":
      return bytes;
    case "gzip":
      return zlib.gzipSync(bytes);
    case "zstd":
      return zlib.zstdCompressSync(bytes);
    case "lz4":
      return compressionsAlgorithms.lz4.compressSync(bytes);
    case "snappy": {
      const parts: Buffer[] = [XERIAL_HEADER];
      for (let at = 0; at < bytes.length; at += XERIAL_BLOCK) {
        const block = compressionsAlgorithms.snappy.compressSync(bytes.subarray(at, at + XERIAL_BLOCK));
        const length = Buffer.allocUnsafe(4);
        length.writeInt32BE(block.length);
        parts.push(length, block);
      }
      return Buffer.concat(parts);
    }
  }
}

/** The records of a compressed batch. Throws when the bytes are not what they claim, or would grow beyond `limit` bytes. */
export function decompress(bytes: Buffer, compression: Compression, limit = MAX_DECOMPRESSED): Buffer {
  switch (compression) {
    case "none":
      return bytes;
    case "gzip":
      return zlib.gunzipSync(bytes, { maxOutputLength: limit });
    case "zstd":
      return zlib.zstdDecompressSync(bytes, { maxOutputLength: limit });
    case "lz4":
      if (lz4Bound(bytes) > limit) throw new RangeError(`lz4: may grow beyond ${limit} bytes`);
      return compressionsAlgorithms.lz4.decompressSync(bytes);
    case "snappy": {
      if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return snappyBlock(bytes, limit);
      const parts: Buffer[] = [];
      let total = 0;
      for (let at = XERIAL_HEADER.length; at < bytes.length; ) {
        if (at + 4 > bytes.length) throw new RangeError("snappy: cut inside a block length");
        const length = bytes.readInt32BE(at);
        at += 4;
        if (length <= 0 || at + length > bytes.length) throw new RangeError("snappy: block beyond the batch");
        const part = snappyBlock(bytes.subarray(at, at + length), limit - total);
        total += part.length;
        parts.push(part);
        at += length;
      }
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts, total);
    }
  }
}

/*
  LZ4 frame: magic UINT32 LE, FLG, BD, [content size UINT64 LE when FLG bit 3], [dictionary id UINT32 when FLG bit 0], header checksum,
  then blocks: size UINT32 LE (top bit: stored as it is; 0: the end), data, [checksum UINT32 when FLG bit 4].
  BD bits 4-6 give the most a block grows to: 4 is 64 KiB, each further one four times that.
*/
const LZ4_MAGIC = 0x184d2204;

/** The most that an LZ4 frame may grow to, from its headers alone; a byte of a block stands for 255 at most. */
function lz4Bound(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError("lz4: not a frame");
  const flags = bytes[4]!;
  const largest = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7));
  let at = 7 + (flags & 8) + (flags & 1) * 4;
  const declared = flags & 8 && bytes.length >= 14 ? Number(bytes.readBigUInt64LE(6)) : 0; // may be allocated at once
  let blocks = 0;
  while (at + 4 <= bytes.length) {
    const size = bytes.readUInt32LE(at) & 0x7fffffff;
    if (size === 0) break;
    blocks += Math.min(size * 255, largest);
    at += 4 + size + (flags & 16 ? 4 : 0);
  }
  return Math.max(declared, blocks);
}

/** A raw snappy block starts with its length; looked at first, since the decompressor allocates that much. */
function snappyBlock(bytes: Buffer, limit: number): Buffer {
  let length = 0;
  let shift = 1;
  for (let at = 0; ; at++) {
    const byte = bytes[at];
    if (byte === undefined || at === 5) throw new RangeError("snappy: no length");
    length += (byte & 0x7f) * shift;
    if (byte < 0x80) break;
    shift *= 128;
  }
  // the densest element of the format copies 64 bytes and takes 3, or 2 for 11
  if (length > limit) throw new RangeError(`snappy: grows beyond ${limit} bytes`);
  if (length > 64 * bytes.length) throw new RangeError("snappy: impossible length");
  if (length === 0) return Buffer.alloc(0);
  return compressionsAlgorithms.snappy.decompressSync(bytes);
}
