import pl from "nodejs-polars";
import type { Schema } from "../schema.ts";

/** Frames are copied while they are changed: of the memory given, so much is for the rows themselves. */
const SHARE_OF_ROWS = 0.125;

/** How much memory the rows of all stores of a process may take together. */
export class StateMemory {
  /** Bytes of memory given to state. */
  readonly bound: number;
  readonly #held = new Map<object, number>();
  #bytes = 0;

  constructor(bound: number) {
    this.bound = bound;
  }

  /** Estimated bytes of the rows in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes what a holder has now; 0 forgets it. */
  note(holder: object, bytes: number): void {
    this.#bytes += bytes - (this.#held.get(holder) ?? 0);
    if (bytes === 0) this.#held.delete(holder);
    else this.#held.set(holder, bytes);
  }

  /** Rows take more than their share: what is saved already should leave memory, and what is not should be saved. */
  get crowded(): boolean {
    return this.#bytes > this.bound * SHARE_OF_ROWS;
  }

  /** Whether so many further bytes would still fit. */
  fits(bytes: number): boolean {
    return this.#bytes + bytes <= this.bound * SHARE_OF_ROWS;
  }
}

const SAMPLE = 100;

/** About how many bytes a row takes, by its dtypes; the lengths of texts and lists are those of a sample. */
export function bytesPerRow(schema: Schema, rows?: pl.DataFrame): number {
  let bytes = 0;
  for (const [name, dtype] of Object.entries(schema)) {
    const width = Number(/(8|16|32|64)$/.exec(dtype)?.[1] ?? 64) / 8;
    if (/^(U?Int|Float|Boolean|Date|Time|Duration|Null)/.test(dtype) && !dtype.startsWith("List")) bytes += width;
    else bytes += 16 + (rows === undefined ? 32 : sampledLength(rows, name));
  }
  return bytes;
}

function sampledLength(rows: pl.DataFrame, name: string): number {
  if (rows.height === 0) return 32;
  const sample = rows.head(SAMPLE).select(pl.col(name));
  // as JSON: crude for lists and structs, and good enough for a bound
  const length = JSON.stringify(sample.toObject(), (_, value) =>
    typeof value === "bigint" ? Number(value) : value,
  ).length;
  return length / Math.min(SAMPLE, rows.height);
}
