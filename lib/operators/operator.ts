import type pl from "nodejs-polars";

/**
 * One incremental operator of one task (one partition of the input): a batch and its state in, a batch out.
 * Knows nothing of Kafka, DuckDB or Jupyter. Batches come in order and one at a time.
 */
export interface Operator {
  /** Rows that result from this batch. `watermark` is the task's maximum event time after it, in ms since the epoch. */
  process(batch: pl.DataFrame, watermark: number): Promise<pl.DataFrame>;
  /** What is still open (windows), without changing state; for `collect({ final: true })`. */
  open?(): Promise<pl.DataFrame>;
  /** Counters for status lines and metrics, e.g. `{ late: 3 }`. */
  counts?(): Readonly<Record<string, number>>;
}
