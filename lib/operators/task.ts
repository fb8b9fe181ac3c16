import type pl from "nodejs-polars";

/** Rows for one terminal of the program, metadata columns included. */
export interface TaskOutput {
  readonly terminal: string;
  readonly frame: pl.DataFrame;
}

/** A compiled program at work on one partition of its input. Batches come in order and one at a time. */
export interface Task {
  /**
   * The rows that result from this batch, for every terminal that has any.
   * @param source the id of the source node
   * @param frame the source's columns (at least those of `Program.sources[].columns`) and `_key` Utf8, `_time` Datetime(ms),
   * `_partition` Int32, `_offset` Int64, and `_headers` where the program needs it. May be empty.
   */
  process(source: string, frame: pl.DataFrame): Promise<TaskOutput[]>;
  /** The rows of windows that are still open, as they would be if they closed now; changes no state. */
  openRows(): Promise<TaskOutput[]>;
  /** Counters for status lines and metrics, summed over operators: `late` rows per window, `withoutTime` rows. */
  counts(): Readonly<Record<string, number>>;
  /** The largest event time so far in ms since the epoch, the smallest of its sources; NaN before the first row. */
  readonly watermark: number;
}
