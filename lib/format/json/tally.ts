/** What the text of a batch holds, counted without parsing it; compared with what the parser made of it. */
export interface Tally {
  /** At least the number of fields, at every depth; exact unless a string holds `":`. */
  keys: number;
  /** Fields that are null. */
  nulls: number;
  /** Fields that are an object or an array. */
  nested: number;
  /** Something that this count cannot judge, such as a space before a colon. */
  odd: boolean;
}

const COLON = 0x3a;
const QUOTE = 0x22;

/**
 * Counts fields by their colons. A field's colon follows a quote (or a space, which is `odd`), and each of them is seen: so `keys` is
 * never too small. Four bytes at a time, since this runs over every byte read: few words hold a colon.
 */
export function tally(bytes: Uint8Array, start: number, end: number): Tally {
  const sum: Tally = { keys: 0, nulls: 0, nested: 0, odd: false };
  let at = start;
  const aligned = Math.min(end, at + ((4 - ((bytes.byteOffset + at) & 3)) & 3));
  for (; at < aligned; at++) if (bytes[at] === COLON) count(bytes, at, sum);
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, (end - at) >> 2);
  for (let i = 0; i < words.length; i++) {
    // the classic test for a zero byte, on bytes that are zero where there is a colon; it may ring once too often, never too rarely
    const x = words[i]! ^ 0x3a3a3a3a;
    if (((x - 0x01010101) & ~x & 0x80808080) !== 0) {
      const base = at + i * 4;
      if (bytes[base] === COLON) count(bytes, base, sum);
      if (bytes[base + 1] === COLON) count(bytes, base + 1, sum);
      if (bytes[base + 2] === COLON) count(bytes, base + 2, sum);
      if (bytes[base + 3] === COLON) count(bytes, base + 3, sum);
    }
  }
  for (at += words.length * 4; at < end; at++) if (bytes[at] === COLON) count(bytes, at, sum);
  return sum;
}

function count(bytes: Uint8Array, colon: number, sum: Tally): void {
  const before = bytes[colon - 1]!;
  if (before !== QUOTE) {
    if (before <= 0x20) sum.odd = true;
    return;
  }
  sum.keys++;
  let after = colon + 1;
  while (bytes[after]! <= 0x20) after++;
  const first = bytes[after];
  if (first === 0x6e /* n */) sum.nulls++;
  else if (first === 0x7b /* { */ || first === 0x5b /* [ */) sum.nested++;
}

/** More levels than this are bad: the native parser recurses, and a few thousand levels end the process. */
export const MAX_DEPTH = 200;

/** Whether objects and arrays lie deeper in each other than {@link MAX_DEPTH}; brackets within strings do not count. */
export function tooDeep(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start <= MAX_DEPTH) return false;
  let openers = 0;
  // { and [ differ in one bit
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xdf) === 0x5b) openers++;
  return openers > MAX_DEPTH && depth(bytes, start, end) > MAX_DEPTH;
}

function depth(bytes: Uint8Array, start: number, end: number): number {
  let level = 0;
  let deepest = 0;
  let inString = false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (inString) {
      if (byte === 0x5c) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if ((byte & 0xdf) === 0x5b) deepest = Math.max(deepest, ++level);
    else if ((byte & 0xdf) === 0x5d) level--;
  }
  return deepest;
}
