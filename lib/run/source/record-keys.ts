import { isUtf8 } from "node:buffer";
import pl from "nodejs-polars";
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

// control characters that keys that are read natively must not hold: as separator and quote they then never occur
const SEPARATOR = "\u0001";
const QUOTE = "\u0002";
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xef;

/**
 * The same as a Series, read natively as lines of text where that is exact: keys that lie one behind the other, a line break apart, none of
 * them null, empty, or holding a character that has a meaning in CSV. Undefined where they do not. (A text that crosses into Polars by itself costs
 * some 250 ns, a line about 35.)
 */
export function plainKeys(keys: ByteColumn, count: number, name: string): pl.Series | undefined {
  const { bytes, starts, ends, nulls } = keys;
  if (count === 0 || nulls !== undefined) return undefined;
  if (starts[0] === ends[0]) return undefined;
  for (let i = 1; i < count; i++) if (starts[i] !== ends[i - 1]! + 1 || starts[i] === ends[i]) return undefined;
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset + starts[0]!, ends[count - 1]! - starts[0]!);
  if (lines[0] === BYTE_ORDER_MARK || lines.includes(CARRIAGE_RETURN)) return undefined;
  if (lines.includes(SEPARATOR) || lines.includes(QUOTE) || !isUtf8(lines)) return undefined;
  const read = pl.readCSV(lines, { ...AS_LINES, schema: { [name]: pl.Utf8 } } as Parameters<typeof pl.readCSV>[1]);
  const series = read.height === count && read.width === 1 ? read.getColumn(name) : undefined;
  return series?.nullCount() === 0 ? series : undefined;
}

const AS_LINES = { hasHeader: false, sep: SEPARATOR, quoteChar: QUOTE, inferSchemaLength: 0 };
