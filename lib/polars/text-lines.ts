import { isUtf8 } from "node:buffer";
import pl from "nodejs-polars";

// control characters that texts that are read natively must not hold: as separator and quote they then never occur
const SEPARATOR = "\u0001";
const QUOTE = "\u0002";
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = 0xef;

/**
 * Texts as a Utf8 Series, read natively as lines: a text that crosses into Polars by itself costs some 250 ns, a line about 35. Undefined where that is
 * not exact: text that is no UTF-8, or holds a character that has a meaning in CSV.
 * @param lines the texts, none of them empty or with a newline, a newline between each and the next
 */
export function textLines(name: string, lines: Buffer, count: number): pl.Series | undefined {
  if (lines[0] === BYTE_ORDER_MARK || lines.includes(CARRIAGE_RETURN)) return undefined;
  if (lines.includes(SEPARATOR) || lines.includes(QUOTE) || !isUtf8(lines)) return undefined;
  const read = pl.readCSV(lines, { ...AS_LINES, schema: { [name]: pl.Utf8 } } as Parameters<typeof pl.readCSV>[1]);
  const series = read.height === count && read.width === 1 ? read.getColumn(name) : undefined;
  return series?.nullCount() === 0 ? series : undefined;
}

const AS_LINES = { hasHeader: false, sep: SEPARATOR, quoteChar: QUOTE, inferSchemaLength: 0 };
