import type { ByteColumn } from "../../log/columns.ts";

/** Texts as UTF-8, one after the other. */
export function textColumn(texts: readonly (string | null)[]): ByteColumn {
  const count = texts.length;
  const starts = new Uint32Array(count);
  const ends = new Uint32Array(count);
  let nulls: Uint8Array | undefined;
  let length = 0;
  for (let i = 0; i < count; i++) {
    const text = texts[i];
    starts[i] = length;
    if (text === null || text === undefined) {
      nulls ??= new Uint8Array(count);
      nulls[i] = 1;
    } else length += text.length;
    ends[i] = length;
  }
  const bytes = Buffer.from(texts.join(""));
  // as long as every character is one byte, places in the text are places in the bytes
  if (bytes.length === length) return { bytes, starts, ends, ...(nulls && { nulls }) };
  let at = 0;
  for (let i = 0; i < count; i++) {
    starts[i] = at;
    at += Buffer.byteLength(texts[i] ?? "");
    ends[i] = at;
  }
  return { bytes, starts, ends, ...(nulls && { nulls }) };
}
