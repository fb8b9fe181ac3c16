import { isUtf8 } from "node:buffer";
import type { ByteColumn } from "../../log/columns.ts";

export interface TextKeys {
  /** Null for a null key, and for one that is not text. */
  readonly texts: (string | null)[];
  /** Records whose key is not UTF-8. */
  readonly notText: number[];
}

const REPLACEMENT = "\ufffd";

/** Record keys as text. */
export function textKeys(keys: ByteColumn, count: number): TextKeys {
  const { bytes, starts, ends, nulls } = keys;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const plain = nulls === undefined ? plainLines(buffer, starts, ends, count) : undefined;
  if (plain !== undefined) return { texts: plain, notText: [] };
  const texts = new Array<string | null>(count);
  const notText: number[] = [];
  for (let i = 0; i < count; i++) {
    if (nulls?.[i]) {
      texts[i] = null;
      continue;
    }
    const text = buffer.toString("utf8", starts[i], ends[i]);
    // decoding replaces what is no UTF-8; the replacement character itself is valid text, though
    if (text.includes(REPLACEMENT) && !isUtf8(buffer.subarray(starts[i], ends[i]))) {
      texts[i] = null;
      notText.push(i);
    } else texts[i] = text;
  }
  return { texts, notText };
}

/** Keys that lie one behind the other, a line break apart, and hold none, all at once; undefined where they do not. */
function plainLines(buffer: Buffer, starts: Uint32Array, ends: Uint32Array, count: number): string[] | undefined {
  if (count === 0) return [];
  for (let i = 1; i < count; i++) if (starts[i] !== ends[i - 1]! + 1) return undefined;
  const all = buffer.subarray(starts[0], ends[count - 1]);
  if (!isUtf8(all)) return undefined;
  const texts = all.toString("utf8").split("\n");
  return texts.length === count ? texts : undefined;
}
