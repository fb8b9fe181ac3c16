import type { ByteColumn } from "../../log/columns.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

/**
 * Looks at the fields of flat records one by one, in text that the native parser has accepted: counts those that hold a value and are not
 * known. Undefined when it cannot vouch for the frame: a known field twice, a name written with an escape, an object or array
 * (in a text column it must be read anew).
 */
export class FieldCounter {
  readonly #names: readonly Buffer[];
  /** Names by their length. */
  readonly #byLength: number[][] = [];

  /** @param known every field of the schema, no more than 31 */
  constructor(known: Iterable<string>) {
    this.#names = Array.from(known, (name) => Buffer.from(name));
    for (const [i, name] of this.#names.entries()) {
      this.#byLength[name.length] ??= [];
      this.#byLength[name.length]!.push(i);
    }
  }

  static readonly MOST = 31;

  unknownFields(values: ByteColumn, records: Uint32Array): number | undefined {
    const { bytes, starts, ends } = values;
    let unknown = 0;
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      const found = this.#record(bytes, starts[record]!, ends[record]!);
      if (found < 0) return undefined;
      unknown += found;
    }
    return unknown;
  }

  /** The number of unknown fields with a value, or -1. */
  #record(bytes: Uint8Array, start: number, end: number): number {
    let unknown = 0;
    let seen = 0;
    let at = start;
    while (bytes[at] !== 0x7b) at++;
    at++;
    for (;;) {
      while (at < end && bytes[at] !== QUOTE) at++;
      if (at >= end) return unknown; // the closing brace was passed
      const name = ++at;
      while (bytes[at] !== QUOTE) {
        if (bytes[at] === BACKSLASH) return -1;
        at++;
      }
      const column = this.#find(bytes, name, at);
      while (bytes[at] !== COLON) at++;
      at++;
      while (bytes[at]! <= 0x20) at++;
      const first = bytes[at]!;
      if (first === 0x7b || first === 0x5b) return -1;
      if (column >= 0) {
        const bit = 1 << column;
        if ((seen & bit) !== 0) return -1;
        seen |= bit;
      } else if (first !== 0x6e /* null */) unknown++;
      if (first === QUOTE) {
        at++;
        while (bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
        at++;
      }
      while (at < end && bytes[at] !== COMMA) at++;
    }
  }

  #find(bytes: Uint8Array, start: number, end: number): number {
    const candidates = this.#byLength[end - start];
    if (candidates === undefined) return -1;
    for (const candidate of candidates) {
      const name = this.#names[candidate]!;
      let i = 0;
      while (i < name.length && name[i] === bytes[start + i]) i++;
      if (i === name.length) return candidate;
    }
    return -1;
  }
}
