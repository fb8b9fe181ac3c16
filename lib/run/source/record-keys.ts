import { isUtf8 } from "node:buffer";
import type pl from "nodejs-polars";
import type { ByteColumn } from "../../log/columns.ts";
import { textLines } from "../../polars/text-lines.ts";

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

/** So many texts cross by themselves in less time than the reader of lines takes to begin. */
const FEW = 2000;

/**
 * The same as a Series, read natively as lines of text where that is exact: keys that lie one behind the other, a line break apart, none of
 * them null, empty, or holding a character that has a meaning in CSV. Undefined where they do not, and where they are few.
 */
export function plainKeys(keys: ByteColumn, count: number, name: string, few = FEW): pl.Series | undefined {
  const { bytes, starts, ends, nulls } = keys;
  if (count === 0 || count < few || nulls !== undefined) return undefined;
  if (starts[0] === ends[0]) return undefined;
  for (let i = 1; i < count; i++) if (starts[i] !== ends[i - 1]! + 1 || starts[i] === ends[i]) return undefined;
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset + starts[0]!, ends[count - 1]! - starts[0]!);
  return textLines(name, lines, count);
}
