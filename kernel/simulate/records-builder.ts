import type { RecordColumns } from "../../lib/log/index.ts";

const DIGIT = 48;
const MINUS = 45;
const DOT = 46;

/** Fills columns record by record without an object or a string per record; texts that repeat are given as bytes. */
export class RecordsBuilder {
  #values: Buffer;
  #valueTo = 0;
  #keys: Buffer;
  #keyTo = 0;
  #count = 0;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;
  readonly #keyStarts: Uint32Array;
  readonly #keyEnds: Uint32Array;
  readonly #timestamps: Float64Array;

  /** @param capacity records at most; @param width bytes of a value as a first guess */
  constructor(capacity: number, width = 128) {
    this.#values = Buffer.allocUnsafe(capacity * width);
    this.#keys = Buffer.allocUnsafe(capacity * 16);
    this.#starts = new Uint32Array(capacity);
    this.#ends = new Uint32Array(capacity);
    this.#keyStarts = new Uint32Array(capacity);
    this.#keyEnds = new Uint32Array(capacity);
    this.#timestamps = new Float64Array(capacity);
  }

  begin(key: Uint8Array, timestamp: number): void {
    if (this.#keyTo + key.length > this.#keys.length) this.#keys = doubled(this.#keys, key.length);
    this.#keyStarts[this.#count] = this.#keyTo;
    for (let i = 0; i < key.length; i++) this.#keys[this.#keyTo++] = key[i]!;
    this.#keyEnds[this.#count] = this.#keyTo;
    this.#timestamps[this.#count] = timestamp;
    this.#starts[this.#count] = this.#valueTo;
  }

  text(bytes: Uint8Array): void {
    if (this.#valueTo + bytes.length + 32 > this.#values.length)
      this.#values = doubled(this.#values, bytes.length + 32);
    const values = this.#values;
    let at = this.#valueTo;
    for (let i = 0; i < bytes.length; i++) values[at++] = bytes[i]!;
    this.#valueTo = at;
  }

  /** A whole number of at most 15 digits. */
  integer(value: number): void {
    const values = this.#values;
    let at = this.#valueTo;
    if (value < 0) values[at++] = MINUS;
    let rest = Math.abs(value);
    let digits = 1;
    for (let power = 10; power <= rest; power *= 10) digits++;
    this.#valueTo = at + digits;
    for (let i = at + digits - 1; i >= at; i--) {
      const tenth = Math.floor(rest / 10);
      values[i] = DIGIT + rest - tenth * 10;
      rest = tenth;
    }
  }

  /** A number with three decimals; always written as a float. */
  decimal(value: number): void {
    let thousandths = Math.round(value * 1000);
    if (thousandths < 0) {
      this.#values[this.#valueTo++] = MINUS;
      thousandths = -thousandths;
    }
    const whole = Math.floor(thousandths / 1000);
    this.integer(whole);
    const rest = thousandths - whole * 1000;
    const values = this.#values;
    values[this.#valueTo++] = DOT;
    values[this.#valueTo++] = DIGIT + Math.floor(rest / 100);
    values[this.#valueTo++] = DIGIT + (Math.floor(rest / 10) % 10);
    values[this.#valueTo++] = DIGIT + (rest % 10);
  }

  end(): void {
    this.#ends[this.#count++] = this.#valueTo;
  }

  get count(): number {
    return this.#count;
  }

  build(): RecordColumns {
    const count = this.#count;
    return {
      count,
      keys: { bytes: this.#keys, starts: this.#keyStarts.subarray(0, count), ends: this.#keyEnds.subarray(0, count) },
      values: { bytes: this.#values, starts: this.#starts.subarray(0, count), ends: this.#ends.subarray(0, count) },
      timestamps: this.#timestamps.subarray(0, count),
    };
  }
}

function doubled(bytes: Buffer, room: number): Buffer {
  const bigger = Buffer.allocUnsafe(bytes.length * 2 + room);
  bytes.copy(bigger);
  return bigger;
}
