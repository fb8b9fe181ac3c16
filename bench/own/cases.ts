import nodePolars from "nodejs-polars";
import { pl, topic } from "../../lib/index.ts";
import type { Compression } from "../../lib/log/compression.ts";
import type { Schema } from "../../lib/schema.ts";

type Frame = ReturnType<typeof nodePolars.DataFrame>;

/** How large a case is. */
export interface Size {
  readonly count: number;
  readonly keys: number;
  /** Least bytes of a value: it is filled up by a text that nobody reads. */
  readonly valueBytes: number;
}

/** A job beyond those that are run side by side: its messages, what it does, and the same by batch Polars. */
export interface Case {
  readonly title: string;
  readonly size: Size;
  readonly compression?: Compression;
  readonly schema: Schema;
  /** `device` (the key), `timestamp` (ms, also the record's time) and the value's other columns. */
  messages(size: Size): Frame;
  /** Declares the sink. */
  program(input: string, output: string): void;
  /** The value's columns. */
  readonly output: Schema;
  /** What identifies a row within its key, where rows come in no fixed order. */
  readonly order?: string;
  /** The rows it must write, in order per device. */
  expected(messages: Frame): Frame;
}

const SIZE: Size = { count: 400_000, keys: 1000, valueBytes: 0 };
const START = Date.UTC(2026, 0, 1);
const phone = (input: string, schema: Schema) => topic(input, { key: "device", schema });

/** Numbers from 0 to 1 that are the same in every run, six decimals each. */
function numbers(count: number, seed: number): Float64Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Float64Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return Math.floor(((state >>> 0) / 2 ** 32) * 1e6) / 1e6;
  });
}

/** More keys than numbers of six decimals tell apart are all there, each once before any comes again: a step that has no divisor with them. */
const MOST_DRAWN = 1_000_000;
const STEP = 7_368_787;

/** Readings of devices that are drawn, 10,000 a second of event time. */
function readings({ count, keys, valueBytes }: Size, columns: readonly string[]): Frame {
  const draws = numbers(count, 1);
  const number = (i: number) => (keys > MOST_DRAWN ? (i * STEP) % keys : Math.floor(draws[i]! * keys));
  const device = Array.from(draws, (_, i) => `phone-${number(i)}`);
  const time = Float64Array.from({ length: count }, (_, i) => START + Math.floor(i / 10));
  const frame = nodePolars.DataFrame([
    nodePolars.Series("device", device, nodePolars.Utf8),
    nodePolars.Series("timestamp", time).cast(nodePolars.Int64),
    ...columns.map((name, i) => nodePolars.Series(name, numbers(count, i + 2))),
  ]);
  const fill = valueBytes - 30 - columns.length * 18;
  return fill <= 0 ? frame : frame.withColumns(nodePolars.lit("x".repeat(fill)).alias("fill"));
}

const DELTA: Omit<Case, "title"> = {
  size: SIZE,
  schema: { timestamp: "Int64", x: "Float64", y: "Float64" },
  messages: (size) => readings(size, ["x", "y"]),
  program(input, output) {
    phone(input, this.schema)
      .withColumns(pl.col("x").plus(pl.col("y")).alias("sum"))
      .withColumns(pl.col("sum").diff(1, "ignore").over("device").alias("delta"))
      .to(output, { key: "device", value: ["timestamp", "sum", "delta"] });
  },
  output: { timestamp: "Int64", sum: "Float64", delta: "Float64" },
  expected: (messages) =>
    messages
      .withColumns(nodePolars.col("x").plus(nodePolars.col("y")).alias("sum"))
      .withColumns(nodePolars.col("sum").diff(1, "ignore").over("device").alias("delta"))
      .select("device", "timestamp", "sum", "delta"),
};

const WIDE = Array.from({ length: 60 }, (_, i) => `channel${i}`);
const first = (names: readonly string[], col: (name: string) => any) =>
  names.slice(1).reduce((sum, name) => sum.plus(col(name)), col(names[0]!));

export const CASES: Readonly<Record<string, Case>> = {
  delta: { ...DELTA, title: "change per device" },
  keys: { ...DELTA, title: "change per device, half as many devices as messages", size: { ...SIZE, keys: 200_000 } },
  large: {
    ...DELTA,
    title: "change per device, values of 5 kB",
    size: { count: 60_000, keys: 1000, valueBytes: 5000 },
  },
  ...Object.fromEntries(
    (["gzip", "snappy", "lz4", "zstd"] as const).map((compression) => [
      compression,
      { ...DELTA, title: `change per device, ${compression}`, compression },
    ]),
  ),
  wide: {
    title: "sum of 60 columns, all read",
    size: { ...SIZE, count: 100_000 },
    schema: { timestamp: "Int64", ...Object.fromEntries(WIDE.map((name) => [name, "Float64"])) },
    messages: (size) => readings(size, WIDE),
    program(input, output) {
      phone(input, this.schema)
        .withColumns(first(WIDE, pl.col).alias("sum"))
        .to(output, { key: "device", value: ["timestamp", "sum"] });
    },
    output: { timestamp: "Int64", sum: "Float64" },
    expected: (messages) =>
      messages.withColumns(first(WIDE, nodePolars.col).alias("sum")).select("device", "timestamp", "sum"),
  },
  sessions: {
    title: "sessions of 55 ms without a reading of the device: count, first and last",
    size: SIZE,
    schema: { timestamp: "Int64", x: "Float64", y: "Float64" },
    messages: (size) => readings(size, ["x", "y"]),
    program(input, output) {
      phone(input, this.schema)
        .groupBySession({ by: "device", indexColumn: "_time", gap: "55ms" })
        .agg(pl.len().alias("n"), pl.col("timestamp").min().alias("first"), pl.col("timestamp").max().alias("last"))
        .to(output, { key: "device", value: ["n", "first", "last"] });
    },
    output: { n: "Int64", first: "Int64", last: "Int64" },
    order: "first",
    expected(messages) {
      const gap = nodePolars.col("timestamp").diff(1, "ignore").over("device");
      const starts = gap.gtEq(55).fillNull(true).cast(nodePolars.Int64).alias("starts");
      const sessions = messages
        .withColumns(starts)
        .withColumns(nodePolars.col("starts").cumSum().over("device").alias("session"))
        .groupBy("partition", "device", "session")
        .agg(
          nodePolars.len().cast(nodePolars.Int64).alias("n"),
          nodePolars.col("timestamp").min().alias("first"),
          nodePolars.col("timestamp").max().alias("last"),
        );
      // a session reaches from its first reading to 55 ms behind its last, that end not with it; then it is over
      const reached = messages.groupBy("partition").agg(nodePolars.col("timestamp").max().alias("reached"));
      return sessions
        .join(reached, { on: "partition", how: "inner" })
        .filter(nodePolars.col("last").plus(55).ltEq(nodePolars.col("reached")))
        .select("device", "n", "first", "last");
    },
  },
};
