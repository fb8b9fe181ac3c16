import pl from "nodejs-polars";
import type { Schema } from "../../lib/schema.ts";

/** A whole job: what it writes, and the same by batch Polars. */
export interface Workload {
  readonly name: WorkloadName;
  readonly title: string;
  /** The value's columns, in this order. */
  readonly output: Schema;
  /** What identifies a row within its key, beside its position. */
  readonly order?: string;
  /**
   * The rows it must write. `messages` has `device`, `partition`, `timestamp` (ms, also the record's time), `gForceX`, `gForceY`, `gForceZ`, in
   * the order they were produced; the answer has `device` and the output's columns, in order per device.
   */
  expected(messages: pl.DataFrame): pl.DataFrame;
}

export const WORKLOAD_NAMES = ["w1", "w2", "w3", "w4"] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

const total = pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).plus(pl.col("gForceZ").abs()).alias("gForceTotal");

const READING = {
  timestamp: "Int64",
  gForceX: "Float64",
  gForceY: "Float64",
  gForceZ: "Float64",
  gForceTotal: "Float64",
} as const;

export const WORKLOADS: Readonly<Record<WorkloadName, Workload>> = {
  w1: {
    name: "w1",
    title: "stateless: gForceTotal = |x|+|y|+|z|, keep > 2.0",
    output: READING,
    expected: (messages) =>
      messages
        .withColumns(total)
        .filter(pl.col("gForceTotal").gt(2.0))
        .select("device", ...Object.keys(READING)),
  },
  w2: {
    name: "w2",
    title: "change of gForceTotal since the device's previous row, every row written",
    output: { ...READING, delta: "Float64" },
    expected: (messages) =>
      messages
        .withColumns(total)
        .withColumns(pl.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"))
        .select("device", ...Object.keys(READING), "delta"),
  },
  w3: {
    name: "w3",
    title: "count, mean and max of gForceTotal per device and second, written when the second is over",
    output: { window_start: "Int64", window_end: "Int64", n: "Int64", mean: "Float64", max: "Float64" },
    order: "window_start",
    expected: (messages) => windows(messages, 1),
  },
  w4: {
    name: "w4",
    title: "count, mean and max of gForceTotal per device over five seconds, every second, written when they are over",
    output: { window_start: "Int64", window_end: "Int64", n: "Int64", mean: "Float64", max: "Float64" },
    order: "window_start",
    expected: (messages) => windows(messages, 5),
  },
};

/** Windows of so many seconds, one starting every second. */
function windows(messages: pl.DataFrame, seconds: number): pl.DataFrame {
  // times are positive, so cutting the remainder off is the floor; a window is over when its partition's time reaches its end
  const second = pl.col("timestamp").minus(pl.col("timestamp").modulo(1000));
  const read = messages.withColumns(total, second.alias("second"));
  // each row once for every window that contains it
  const placed = Array.from({ length: seconds }, (_, i) =>
    read.withColumns(
      pl
        .col("second")
        .minus(i * 1000)
        .cast(pl.Int64)
        .alias("window_start"),
    ),
  );
  const made = (pl.concat(placed) as pl.DataFrame)
    .groupBy("partition", "device", "window_start")
    .agg(
      pl.len().cast(pl.Int64).alias("n"),
      pl.col("gForceTotal").mean().alias("mean"),
      pl.col("gForceTotal").max().alias("max"),
    )
    .withColumns(
      pl
        .col("window_start")
        .plus(seconds * 1000)
        .alias("window_end"),
    );
  const reached = messages.groupBy("partition").agg(pl.col("timestamp").max().alias("reached"));
  return made
    .join(reached, { on: "partition", how: "inner" })
    .filter(pl.col("window_end").ltEq(pl.col("reached")))
    .select("device", "window_start", "window_end", "n", "mean", "max");
}
