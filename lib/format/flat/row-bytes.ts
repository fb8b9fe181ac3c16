import type { ByteColumn } from "../../log/columns.ts";

/** Bytes of rows, one behind the other. There is always room for what a row takes without its texts. */
export class RowBytes {
  bytes: Buffer;
  at = 0;
  readonly #room: number;
  readonly #starts: Uint32Array;
  readonly #ends: Uint32Array;

  /** @param room what a row takes without its texts, at most */
  constructor(rows: number, room: number) {
    this.#room = room;
    this.bytes = Buffer.allocUnsafe(Math.max(1024, rows * room));
    this.#starts = new Uint32Array(rows);
    this.#ends = new Uint32Array(rows);
  }

  /** Writes every row: `start`, and what each of the writers puts behind it. */
  rows(start: Buffer, writers: readonly ((row: number) => void)[]): ByteColumn {
    const [starts, ends] = [this.#starts, this.#ends];
    for (let row = 0; row < starts.length; row++) {
      this.#makeRoom(this.#room);
      starts[row] = this.at;
      this.bytes.set(start, this.at);
      this.at += start.length;
      for (const write of writers) write(row);
      ends[row] = this.at;
    }
    return { bytes: this.bytes.subarray(0, this.at), starts, ends };
  }

  double(value: number): void {
    this.at = this.bytes.writeDoubleLE(value, this.at);
  }

  /** A varint of a whole number up to 2^53. */
  varint(value: number): void {
    const { bytes } = this;
    let raw = value;
    while (raw >= 2 ** 28) {
      bytes[this.at++] = (raw % 128) | 0x80;
      raw = Math.floor(raw / 128);
    }
    for (; raw > 0x7f; raw >>>= 7) bytes[this.at++] = (raw & 0x7f) | 0x80;
    bytes[this.at++] = raw;
  }

  /** A text behind its size in bytes, which is written as this many times itself (a zigzag number is twice as large). */
  text(text: string, factor: 1 | 2): void {
    // a UTF-16 unit is three bytes at most
    this.#makeRoom(3 * text.length + this.#room);
    const { bytes } = this;
    if (text.length < 64) {
      // short and ASCII, as a rule: its size is known at once
      let at = this.at + 1;
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      if (i === text.length) {
        bytes[this.at] = factor * text.length;
        this.at = at;
        return;
      }
    }
    this.varint(factor * Buffer.byteLength(text));
    this.at += bytes.write(text, this.at);
  }

  #makeRoom(size: number): void {
    if (this.at + size <= this.bytes.length) return;
    const bigger = Buffer.allocUnsafe(2 * this.bytes.length + size);
    this.bytes.copy(bigger, 0, 0, this.at);
    this.bytes = bigger;
  }
}
