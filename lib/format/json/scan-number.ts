const POWERS = Float64Array.from({ length: 23 }, (_, i) => 10 ** i);
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Scans numbers of JSON. What {@link scan} found stands in its fields, so that nothing is allocated for it. */
export class NumberScan {
  value = 0;
  /** Neither a fraction nor an exponent was written. */
  whole = false;

  /**
   * Where the number at `at` ends; -1 where there is none, or one that no double holds. Up to 15 digits are exact: both digits and power of ten are
   * whole doubles, and one division rounds once (Clinger 1990); more digits and exponents go through `Number`.
   */
  scan(bytes: Buffer, at: number, end: number): number {
    const start = at;
    let byte = bytes[at]!;
    const negative = byte === 0x2d;
    if (negative) byte = bytes[++at]!;
    const first = at;
    let digits = 0;
    while (byte >= 0x30 && byte <= 0x39) {
      digits = digits * 10 + (byte - 0x30);
      byte = bytes[++at]!;
    }
    let count = at - first;
    if (count === 0 || (count > 1 && bytes[first] === 0x30)) return -1;
    let scale = 0;
    this.whole = byte !== 0x2e;
    if (!this.whole) {
      const point = at;
      byte = bytes[++at]!;
      while (byte >= 0x30 && byte <= 0x39) {
        digits = digits * 10 + (byte - 0x30);
        byte = bytes[++at]!;
      }
      scale = at - point - 1;
      if (scale === 0) return -1;
      count += scale;
    }
    if (count > 15 || byte === 0x65 || byte === 0x45) return this.#slow(bytes, start, at, end);
    if (digits === 0 && negative && this.whole) return -1; // "-0": the native parser decides what it is
    const value = scale === 0 ? digits : digits / POWERS[scale]!;
    this.value = negative ? -value : value;
    return at;
  }

  #slow(bytes: Buffer, start: number, at: number, end: number): number {
    while (at < end && /[0-9eE+.-]/.test(String.fromCharCode(bytes[at]!))) at++;
    const text = bytes.toString("latin1", start, at);
    this.value = Number(text);
    if (!NUMBER.test(text) || !Number.isFinite(this.value) || this.value === 0) return -1;
    return at;
  }
}
