import type pl from "nodejs-polars";
import type { PackedColumns } from "../format/format.ts";
import { once } from "../once.ts";

/** So many rows a record, at least, before what is done once a record is less than what is done with rows. */
export const MANY_ROWS = 16;

export interface PackedRecords extends PackedColumns {
  readonly partition: number;
  /** The keys of the records, and the column that they are, if any. */
  readonly keys: readonly (string | null)[];
  readonly keyColumn: string | undefined;
  /** The column of event time; undefined where all rows of a record have the record's timestamp. */
  readonly time: string | undefined;
  /** The least and the greatest event time of each record's rows, ms; of no rows Infinity and -Infinity. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
}

/**
 * A batch of records that hold many rows each, as they lie in the records. What a record brings beside its values (key, offset, partition) is there once, and
 * no frame is made of the rows unless an operator wants one.
 */
export class PackedBatch {
  readonly records: PackedRecords;
  readonly #frame: () => pl.DataFrame;

  constructor(records: PackedRecords, frame: () => pl.DataFrame) {
    this.records = records;
    this.#frame = once(frame);
  }

  /** One row for each of the rows, as of other batches. */
  get frame(): pl.DataFrame {
    return this.#frame();
  }
}

/** Rows of a source: a frame, or records that hold many each. */
export type Batch = pl.DataFrame | PackedBatch;

/** Not told by its members: a frame has one for each of its columns. */
export function isPacked(batch: Batch): batch is PackedBatch {
  return batch instanceof PackedBatch;
}
