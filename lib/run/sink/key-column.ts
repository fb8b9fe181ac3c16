import pl from "nodejs-polars";
import type { ByteColumn } from "../../log/columns.ts";
import { written } from "../../polars/written.ts";
import { textColumn } from "./text-column.ts";

const NEWLINE = 0x0a;
const QUOTE = 0x22;

/** A column of rows as record keys in UTF-8; null where the value is, and everywhere when there is no such column. */
export function keyColumn(rows: pl.DataFrame, key: string): ByteColumn {
  if (!rows.columns.includes(key)) return textColumn(new Array(rows.height).fill(null));
  const texts = rows.getColumn(key).cast(pl.Utf8);
  return (texts.nullCount() === 0 ? plainLines(texts) : undefined) ?? textColumn(texts.toArray() as (string | null)[]);
}

/**
 * The texts as Polars writes them natively, a line each. CSV quotes what holds a comma, a quote, a line break or nothing at all: then, and
 * only then, there is a quote in it, and undefined is the answer.
 */
function plainLines(texts: pl.Series): ByteColumn | undefined {
  const count = texts.length;
  const bytes = written(pl.DataFrame([texts]), "csv");
  if (bytes.includes(QUOTE)) return undefined;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let end = at;
    while (end < bytes.length && bytes[end] !== NEWLINE) end++; // keys are short: a call of indexOf costs more
    if (end === bytes.length) return undefined;
    starts[i] = at;
    ends[i] = end;
    at = end + 1;
  }
  return at === bytes.length ? { bytes, starts, ends } : undefined;
}
