import { createHash } from "node:crypto";

export interface ShownDigest {
  readonly rows: number;
  /** SHA-256, hexadecimal. */
  readonly sha256: string;
}

/**
 * Rows, as JSON text each, for telling whether two runs gave the same ones: in any order, since partitions are merged in one where they are shown and not where they
 * are written; floats by six digits, since other batches may add them in another order.
 */
export function shownDigest(rows: readonly string[]): ShownDigest {
  const hash = createHash("sha256");
  for (const row of rows.map((text) => text.replace(TEXT_OR_FLOAT, rounded)).sort()) hash.update(`${row}\n`);
  return { rows: rows.length, sha256: hash.digest("hex") };
}

/** As {@link shownDigest}, of lines `{"key":…,"value":…}` that replays write. */
export const linesDigest = (lines: string): ShownDigest =>
  shownDigest(
    lines
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => LINE.exec(line)?.[1] ?? line),
  );

const LINE = /^\{"key":(?:null|"(?:[^"\\]|\\.)*"),"value":(.*)\}$/;

/** A text, which stays as it is, or a number that Polars writes as a float. */
const TEXT_OR_FLOAT = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+(?:e[+-]?\d+)?|e[+-]?\d+)/gi;

const rounded = (text: string) => (text.startsWith('"') ? text : String(Number(Number(text).toPrecision(6))));
