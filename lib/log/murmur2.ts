const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/** MurmurHash2 (32 bits, seed 0x9747b28c) of `bytes[from .. to)`, signed: what Java's default partitioner hashes keys with. */
export function murmur2(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let hash = SEED ^ (to - from);
  let at = from;
  for (; at + 4 <= to; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const left = to - at;
  if (left > 0) {
    if (left === 3) hash ^= bytes[at + 2]! << 16;
    if (left >= 2) hash ^= bytes[at + 1]! << 8;
    hash = Math.imul(hash ^ bytes[at]!, M);
  }
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** The partition Java's default partitioner gives a key: murmur2 without its sign, modulo the partition count. */
export function partitionOf(partitionCount: number, key: Uint8Array, from = 0, to = key.length): number {
  return (murmur2(key, from, to) & 0x7fffffff) % partitionCount;
}
