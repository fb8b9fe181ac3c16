import type pl from "nodejs-polars";
import type { PackedColumns } from "../format/format.ts";

/**
 * A batch of records that hold many rows each, as they lie in the records. What a record brings beside its values (key, offset, partition) is there once, and
 * no frame is made of the rows unless an operator wants one.
 */
export interface PackedBatch extends PackedColumns {
  readonly partition: number;
  /** The keys of the records, and the column that they are, if any. */
  readonly keys: readonly (string | null)[];
  readonly keyColumn: string | undefined;
  /** The column of event time; undefined where all rows of a record have the record's timestamp. */
  readonly time: string | undefined;
  /** The least and the greatest event time of each record's rows, ms. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  /** One row for each of the rows, as of other batches. */
  readonly frame: pl.DataFrame;
}

/** Rows of a source: a frame, or records that hold many each. */
export type Batch = pl.DataFrame | PackedBatch;

export function isPacked(batch: Batch): batch is PackedBatch {
  return "greatest" in batch;
}
