import type { RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import type { Decoded } from "../format.ts";
import { FlatReader } from "./flat-reader.ts";

/** After batches that were not flat the next attempt is so many batches away at most. */
const LONGEST_PAUSE = 64;

/** The flat way of reading, where it works: after a batch that is not flat it is tried again after one batch, then two, four, … */
export class FlatReading {
  readonly #reader: FlatReader | undefined;
  #pause = 0;
  #left = 0;

  constructor(schema: Schema, wanted: readonly string[]) {
    this.#reader = FlatReader.of(schema, wanted);
  }

  /** Undefined where the batch needs the other way. */
  read(columns: RecordColumns): Decoded | undefined {
    if (this.#reader === undefined || this.#left-- > 0) return undefined;
    const decoded = this.#reader.read(columns);
    this.#pause = decoded === undefined ? Math.min(LONGEST_PAUSE, Math.max(1, this.#pause * 2)) : 0;
    this.#left = this.#pause;
    return decoded;
  }
}
