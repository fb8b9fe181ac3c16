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

export const WORKLOAD_NAMES = ["w1", "w2", "w3"] as const;
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
    expected: (messages) => {
      // times are positive, so cutting the remainder off is the floor; a window is over when its partition's time reaches its end
      const start = pl.col("timestamp").minus(pl.col("timestamp").modulo(1000));
      const windows = messages
        .withColumns(total, start.alias("window_start"))
        .groupBy("partition", "device", "window_start")
        .agg(
          pl.len().cast(pl.Int64).alias("n"),
          pl.col("gForceTotal").mean().alias("mean"),
          pl.col("gForceTotal").max().alias("max"),
        )
        .withColumns(pl.col("window_start").plus(1000).alias("window_end"));
      const reached = messages.groupBy("partition").agg(pl.col("timestamp").max().alias("reached"));
      return windows
        .join(reached, { on: "partition", how: "inner" })
        .filter(pl.col("window_end").ltEq(pl.col("reached")))
        .select("device", "window_start", "window_end", "n", "mean", "max");
    },
  },
};
