import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PlainText } from "../../lib/format/json/plain-text.ts";

/** Byte by byte, as RFC 8259 has it. */
function end(bytes: Uint8Array, at: number, to: number, ascii: boolean): number {
  for (let i = at; i < to; i++) {
    if (bytes[i] === 0x22) return i;
    if (bytes[i] === 0x5c || bytes[i]! < 0x20 || (ascii && bytes[i]! >= 0x80)) return -1;
  }
  return -1;
}

const EDGES = [0x00, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x5b, 0x5c, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff];

test("a text ends where it does byte by byte, wherever it begins and whatever stands in it", () => {
  const byte = fc.oneof(
    { weight: 9, arbitrary: fc.constant(0x61) },
    { weight: 1, arbitrary: fc.constantFrom(...EDGES) },
  );
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 40 }), fc.nat(7), fc.nat(40), fc.nat(40), (given, offset, first, last) => {
      const memory = Uint8Array.from([...new Array(offset).fill(0x22), ...given]);
      const bytes = memory.subarray(offset); // a view into something larger
      const [at, to] = [Math.min(first, last, bytes.length), Math.min(Math.max(first, last), bytes.length)];
      const text = new PlainText(bytes);
      assert.equal(text.end(at, to), end(bytes, at, to, false));
      assert.equal(text.asciiEnd(at, to), end(bytes, at, to, true));
    }),
    { numRuns: 20_000 },
  );
});

test("each byte at each place of a word", () => {
  for (let place = 0; place < 4; place++)
    for (let byte = 0; byte < 256; byte++) {
      const bytes = new Uint8Array(9).fill(0x61);
      bytes[place] = byte;
      bytes[8] = 0x22;
      const text = new PlainText(bytes);
      assert.equal(text.end(0, 9), end(bytes, 0, 9, false), `${byte} at ${place}`);
      assert.equal(text.asciiEnd(0, 9), end(bytes, 0, 9, true), `${byte} at ${place}`);
    }
});
