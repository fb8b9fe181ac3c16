import type { TextViews } from "./text-views.ts";

const NONE = new DataView(new ArrayBuffer(0));

/**
 * Texts by their bytes: equal ones have one number, new ones the next. A table of places that is asked on from where the hash leads, at most half full.
 * What it knows does not hold on to the frames that the texts came from.
 */
export class KnownTexts {
  readonly texts: string[] = [];
  /** The number of a text, plus 1. */
  #places = new Uint32Array(4096);
  /** Of each text four integers: its view, with the hash of its bytes in the place of where a longer text lies. */
  #words = new Int32Array(2 * 4096);
  /** The bytes of longer texts by number; nothing for those whose view holds them. */
  readonly #long: DataView[] = [];

  /** Puts the numbers of the texts from row `from` into `codes`, as many as it has places. */
  number(chunk: TextViews, from: number, codes: Uint32Array): void {
    const { views, buffers } = chunk;
    let places = this.#places;
    let words = this.#words;
    let mask = places.length - 1;
    for (let i = 0, at = 4 * from; i < codes.length; i++, at += 4) {
      const a = views[at]!;
      const b = views[at + 1]!;
      let c = views[at + 2]!;
      let d = views[at + 3]!;
      const long = a > 12 ? buffers[c] : undefined;
      const first = d;
      if (long !== undefined) {
        c = hashOf(long, first, a);
        d = 0;
      }
      let place = mixed(a, b, c, d) & mask;
      let code = places[place]! - 1;
      while (code >= 0) {
        const of = 4 * code;
        if (words[of + 3] === d && words[of + 2] === c && words[of + 1] === b && words[of] === a)
          if (long === undefined || equal(long, first, this.#long[code]!)) break;
        place = (place + 1) & mask;
        code = places[place]! - 1;
      }
      if (code < 0) {
        code = this.texts.length;
        words.set([a, b, c, d], 4 * code);
        places[place] = code + 1;
        this.#learn(long === undefined ? inlined(chunk, at) : part(long, first, a), long !== undefined);
        if (2 * this.texts.length >= places.length) {
          this.#grow();
          places = this.#places;
          words = this.#words;
          mask = places.length - 1;
        }
      }
      codes[i] = code;
    }
  }

  #learn(bytes: DataView, long: boolean): void {
    this.texts.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8"));
    this.#long.push(long ? copied(bytes) : NONE);
  }

  #grow(): void {
    const words = new Int32Array(2 * this.#words.length);
    words.set(this.#words);
    const places = new Uint32Array(2 * this.#places.length);
    const mask = places.length - 1;
    for (let code = 0; code < this.texts.length; code++) {
      const of = 4 * code;
      let place = mixed(words[of]!, words[of + 1]!, words[of + 2]!, words[of + 3]!) & mask;
      while (places[place] !== 0) place = (place + 1) & mask;
      places[place] = code + 1;
    }
    this.#words = words;
    this.#places = places;
  }
}

/** Four integers as one of which every bit depends on theirs (the steps of MurmurHash3). */
function mixed(a: number, b: number, c: number, d: number): number {
  let hash = Math.imul(a ^ Math.imul(b, 0xcc9e2d51), 0x1b873593);
  hash = Math.imul(((hash << 15) | (hash >>> 17)) ^ c, 0xcc9e2d51);
  hash = Math.imul(((hash << 13) | (hash >>> 19)) ^ d, 0x1b873593);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

/** Four bytes at a time, as `mixed` takes its integers. */
function hashOf(bytes: DataView, first: number, length: number): number {
  let hash = length;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    hash = Math.imul(hash ^ bytes.getInt32(first + i, true), 0xcc9e2d51);
    hash = (hash << 15) | (hash >>> 17);
  }
  for (; i < length; i++) hash = Math.imul(hash ^ bytes.getUint8(first + i), 0x01000193);
  return hash | 0;
}

/** Whether `text` is in `bytes` from `first` on. */
function equal(bytes: DataView, first: number, text: DataView): boolean {
  const length = text.byteLength;
  let i = 0;
  for (; i + 4 <= length; i += 4) if (bytes.getInt32(first + i, true) !== text.getInt32(i, true)) return false;
  for (; i < length; i++) if (bytes.getUint8(first + i) !== text.getUint8(i)) return false;
  return true;
}

function part(bytes: DataView, first: number, length: number): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset + first, length);
}

/** The bytes of a text that is in its view. */
function inlined({ views }: TextViews, at: number): DataView {
  return new DataView(views.buffer, views.byteOffset + 4 * at + 4, views[at]!);
}

function copied({ buffer, byteOffset, byteLength }: DataView): DataView {
  return new DataView(buffer.slice(byteOffset, byteOffset + byteLength));
}
