import type pl from "nodejs-polars";
import type { Batch } from "./packed-batch.ts";

/** Rows for one terminal of the program, metadata columns included. */
export interface TaskOutput {
  readonly terminal: string;
  readonly frame: pl.DataFrame;
}

/** A row that user code could not work on; it goes the way of a bad record. */
export interface BadRow {
  /** The id of the source it came from. */
  readonly source: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
}

export interface TaskResult {
  readonly rows: readonly TaskOutput[];
  readonly bad: readonly BadRow[];
}

/** A compiled program at work on one partition of its input. Batches come in order and one at a time. */
export interface Task {
  /**
   * The rows that result from these batches, for every terminal that has any. Batches of sources that meet (in a join or concat) are merged
   * by the running maximum of event time, ties by source order; whoever calls holds rows back as long as another source may bring earlier ones.
   * @param batches source id -> the source's columns (at least those of `Program.sources[].columns`) and `_key` Utf8, `_time` Datetime(ms),
   * `_partition` Int32, `_offset` Int64, and `_headers` where the program needs it; or records that hold many rows each. May be empty.
   * Rows that come back from a repartition are as they were sent (without `_place`), those of several senders merged by `_order`.
   * @param known input -> how far it has come in event time beyond these rows, in ms: no row of a smaller `_order` is still to come
   */
  process(batches: ReadonlyMap<string, Batch>, known?: ReadonlyMap<string, number>): Promise<TaskResult>;
  /** How far event time has come where this input is read, ms; NaN before the first row. */
  watermarkOf(input: string): number;
  /** For a repartition: no row of a smaller `_order` (ms) will be sent by this task any more; NaN while nothing is known. */
  reached(repartition: string): number;
  /** Work by the wall clock that is due at `now`, in ms since the epoch. */
  advance(now: number): Promise<TaskResult>;
  /**
   * The rows of windows that are still open, as they would be if they closed now, and of what waits for partners; changes no state.
   * @param received repartition -> such rows of other tasks that are placed here, in order
   */
  openRows(received?: ReadonlyMap<string, pl.DataFrame>): Promise<TaskResult>;
  /** Counters for status lines and metrics, summed over operators: `late` rows per window, `withoutTime` rows. */
  counts(): Readonly<Record<string, number>>;
  /** The largest event time so far in ms since the epoch, the smallest of its inputs that are not read together; NaN before the first row. */
  readonly watermark: number;
}
