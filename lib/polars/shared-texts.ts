import { KnownTexts } from "./known-texts.ts";
import type { TextViews } from "./text-views.ts";

/** After so many rows it is judged again whether texts repeat. */
const SAMPLE = 2048;
/** Rows per different text from which it is worth to know the texts that were. */
const SHARED = 2;
/** Bytes per text up to which all of them are looked at. */
const SHORT = 64;

/**
 * The texts by the place of the row, each different one made once and shared by its rows.
 * @returns nothing where few repeat, or where they are so long that comparing them costs more than making them
 */
export function sharedTexts(chunks: readonly TextViews[]): ((row: number) => string) | undefined {
  const height = chunks.reduce((sum, { rows }) => sum + rows, 0);
  const bytes = chunks.reduce(
    (sum, { buffers }) => sum + buffers.reduce((of, { byteLength }) => of + byteLength, 0),
    0,
  );
  if (bytes > SHORT * height) return undefined;
  const known = new KnownTexts();
  const codes = new Uint32Array(height);
  let done = 0;
  for (const chunk of chunks)
    for (let from = 0; from < chunk.rows; from += SAMPLE) {
      const rows = Math.min(SAMPLE, chunk.rows - from);
      known.number(chunk, from, codes.subarray(done, done + rows));
      done += rows;
      if (known.texts.length * SHARED > done) return undefined;
    }
  const { texts } = known;
  return (row) => texts[codes[row]!]!;
}
