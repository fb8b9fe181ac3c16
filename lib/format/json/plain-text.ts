const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 where a text ends or cannot be taken as it stands: its quote, an escape, a control character; 2 where it is not ASCII. */
const STOPS = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : byte >= 0x80 ? 2 : 0,
);

/** Finds where JSON texts end that can be taken as they stand, four bytes at a time. */
export class PlainText {
  readonly #bytes: Uint8Array;
  readonly #words: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the text that begins at `at` has its closing quote; -1 where an escape or a control character stands before it, or no quote before `end`. */
  end(at: number, end: number): number {
    return this.#end(at, end, 1);
  }

  /** The same, and -1 where it is not ASCII: whether that is UTF-8 is not looked at. */
  asciiEnd(at: number, end: number): number {
    return this.#end(at, end, 3);
  }

  #end(at: number, end: number, stops: 1 | 3): number {
    const bytes = this.#bytes;
    const high = stops === 3 ? HIGH_BITS : 0;
    for (const last = end - 4; at <= last; at += 4) {
      const word = this.#words.getInt32(at, true);
      const quote = word ^ (QUOTE * EACH);
      const backslash = word ^ (BACKSLASH * EACH);
      // a byte of a difference has its high bit where there was nothing to take from
      const less = ((quote - EACH) & ~quote) | ((backslash - EACH) & ~backslash) | ((word - 0x20 * EACH) & ~word);
      if (((less | (word & high)) & HIGH_BITS) !== 0) break;
    }
    while (at < end && (STOPS[bytes[at]!]! & stops) === 0) at++;
    return at < end && bytes[at] === QUOTE ? at : -1;
  }
}

const EACH = 0x01010101;
const HIGH_BITS = 0x80808080 | 0;
