import type pl from "nodejs-polars";
/** An operator over two inputs, read in one order: rows of both carry `_sequence`, their place in it within the call. */
export interface JoinOperator {
  process(left: pl.DataFrame, right: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame>;
  counts?(): Readonly<Record<string, number>>;
}

/** A {@link JoinOperator} before it has its state. */
export interface JoinPlan {
  readonly stores: readonly StoreSpec[];
  open(openStore: OpenStore): JoinOperator;
}

/** The rows of several inputs as those of one; each frame is one input's, in the order of the node's inputs. */
export type ConcatRows = (inputs: readonly pl.DataFrame[]) => pl.DataFrame;

/** What is known beside the batch. */
export interface BatchContext {
  /** The maximum event time of what was read, after this batch, in ms since the epoch; NaN before the first row. */
  readonly watermark: number;
  /**
   * The time that everything still to come is beyond, ms: rows at the watermark itself may follow where several inputs have said how far they have come.
   * NaN before the first row.
   */
  readonly passed: number;
  /** How long the partition has been without rows, in ms of the wall clock; 0 while it has some. */
  readonly quiet: number;
  /** False where the rows are only looked at (windows still open): then no state changes. */
  readonly commit: boolean;
  /**
   * Takes note of rows that could not be worked on and are left out: they go the way of bad records.
   * @param rows with `_partition` and `_offset`
   */
  bad(rows: pl.DataFrame, reason: string): void;
}

/**
 * One incremental operator of one task (one partition of the input): a batch and its state in, a batch out.
 * Knows nothing of Kafka, DuckDB or Jupyter. Batches come in order and one at a time.
 */
export interface Operator {
  /** Rows that result from this batch. */
  process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame>;
  /**
   * The same of records that hold many rows each, without making rows of them; undefined, and nothing done, where the operator needs rows.
   * @param before the watermark before the batch, ms; NaN for none
   */
  processPacked?(batch: PackedBatch, before: number, context: BatchContext): Promise<pl.DataFrame | undefined>;
  /**
   * What is still open (windows), without changing state; for `collect({ final: true })`.
   * @param upstream what is still open before this operator
   */
  open?(upstream: pl.DataFrame): Promise<pl.DataFrame>;
  /** Work by the wall clock (`idle`, timers): rows that are due at `now`, in ms since the epoch. */
  advance?(now: number, context: BatchContext): Promise<pl.DataFrame>;
  /** Counters for status lines and metrics, e.g. `{ late: 3 }`. */
  counts?(): Readonly<Record<string, number>>;
}

/** An operator before it has its state: what it keeps, and how it starts. */
export interface OperatorPlan {
  readonly stores: readonly StoreSpec[];
  /** What its stores keep, as JSON data, and of which columns of its node's input, where that is less than all that the node does. */
  readonly keeps?: { readonly what: unknown; readonly of: ReadonlySet<string> | "all" };
  open(openStore: OpenStore): Operator;
}

import type { OpenStore, StoreSpec } from "../state/store.ts";
import type { PackedBatch } from "./packed-batch.ts";
