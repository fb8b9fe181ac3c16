import type pl from "nodejs-polars";

/** What is known beside the batch. */
export interface BatchContext {
  /** The source's maximum event time after this batch, in ms since the epoch; NaN before the first row. */
  readonly watermark: number;
  /** False where the rows are only looked at (windows still open): then no state changes. */
  readonly commit: boolean;
}

/**
 * One incremental operator of one task (one partition of the input): a batch and its state in, a batch out.
 * Knows nothing of Kafka, DuckDB or Jupyter. Batches come in order and one at a time.
 */
export interface Operator {
  /** Rows that result from this batch. */
  process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame>;
  /** What is still open (windows), without changing state; for `collect({ final: true })`. */
  open?(): Promise<pl.DataFrame>;
  /** Counters for status lines and metrics, e.g. `{ late: 3 }`. */
  counts?(): Readonly<Record<string, number>>;
}

/** An operator before it has its state: what it keeps, and how it starts. */
export interface OperatorPlan {
  readonly stores: readonly StoreSpec[];
  open(openStore: OpenStore): Operator;
}

import type { OpenStore, StoreSpec } from "../state/store.ts";
