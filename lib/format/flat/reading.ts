import type { RecordColumns } from "../../log/columns.ts";
import type { Schema } from "../../schema.ts";
import type { Decoded } from "../format.ts";

/** Reads batches whose every value is flat; gives undefined for another, which then goes the general way. */
export interface FlatReader {
  read(columns: RecordColumns): Decoded | undefined;
}

/** After batches that were not flat the next attempt is so many batches away at most. */
const LONGEST_PAUSE = 64;

/** The flat way of reading, where it works: after a batch that is not flat it is tried again after one batch, then two, four, … */
export class FlatReading implements FlatReader {
  readonly #reader: FlatReader | undefined;
  #pause = 0;
  #left = 0;

  constructor(reader: FlatReader | undefined) {
    this.#reader = reader;
  }

  read(columns: RecordColumns): Decoded | undefined {
    if (this.#reader === undefined || this.#left-- > 0) return undefined;
    const decoded = this.#reader.read(columns);
    this.#pause = decoded === undefined ? Math.min(LONGEST_PAUSE, Math.max(1, this.#pause * 2)) : 0;
    this.#left = this.#pause;
    return decoded;
  }
}

/**
 * Keeps a reading per schema and columns wanted.
 * @param make undefined where the dtypes that are wanted are not flat
 */
export function flatReadings(
  make: (schema: Schema, wanted: readonly string[]) => FlatReader | undefined,
): (schema: Schema, wanted: readonly string[]) => FlatReading {
  const kept = new WeakMap<Schema, Map<string, FlatReading>>();
  return (schema, wanted) => {
    let ofSchema = kept.get(schema);
    if (ofSchema === undefined) {
      ofSchema = new Map();
      kept.set(schema, ofSchema);
    }
    const signature = wanted.join("\u0000");
    let reading = ofSchema.get(signature);
    if (reading === undefined) {
      reading = new FlatReading(make(schema, wanted));
      ofSchema.set(signature, reading);
    }
    return reading;
  };
}
