import polars from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkFormat, type FormatName } from "../format/names.ts";
import { contentId } from "../plan/content-key.ts";
import { parseDuration } from "../plan/duration.ts";
import { sourceOf as functionSource } from "../plan/function-source.ts";
import { type SourceNode, sourceNode } from "../plan/nodes/source-node.ts";
import type { Schema } from "../schema.ts";
import { tree } from "./arguments.ts";
import { StreamFrame } from "./stream-frame.ts";

export interface TopicOptions {
  /** The column that holds the record key; added when the value lacks it. Keyed operators (`.over(key)`, windows `by` key) need it. */
  readonly key?: string;
  /**
   * The column that holds the event time; it arrives as Datetime(ms) whatever its form (ms, s, ISO 8601). Or how it is computed from a record alone: an
   * expression (`pl.col("seconds").multiplyBy(1000)`, a datetime or ms) or a function of the row (ms, a Date or ISO 8601), whose result is `_time`. Without it,
   * the record's timestamp.
   */
  readonly time?: string | polars.Expr | SourceNode["timeFn"];
  /**
   * How long a partition may be quiet (`"5s"`, wall clock) before it no longer holds back rows of other partitions where rows are placed
   * anew (`keyBy`, keys other than the record key). Without it they wait for it, and results never depend on the clock.
   */
  readonly idle?: string;
  /** How values become rows; `"json"` by default. Avro and Protobuf need a schema registry (`SCHEMA_REGISTRY_URL`), which has the columns before the first record, too. */
  readonly format?: FormatName;
  /** Column names and dtypes (`{ gForceX: "Float64" }`); inferred from a sample otherwise. */
  readonly schema?: Schema;
}

/**
 * Opens a Kafka topic (several, or all that match a pattern) as a frame. Reads nothing yet.
 * @throws Refusal `NO_TOPIC`, `UNKNOWN_FORMAT`
 * @example
 * const phone = topic("phone-data", { key: "device", time: "timestamp" });
 */
export function topic(name: string | readonly string[] | RegExp, options: TopicOptions = {}): StreamFrame {
  const { key, time, idle, format = "json", schema } = options;
  const pattern = name instanceof RegExp ? name : undefined;
  const topics = pattern !== undefined ? [] : [name as string | readonly string[]].flat();
  if (
    pattern === undefined &&
    (topics.length === 0 || topics.some((topic) => typeof topic !== "string" || topic === ""))
  )
    throw new Refusal({
      code: "NO_TOPIC",
      what: "topic() was given no topic name",
      remedies: ['name a topic: topic("phone-data")', 'several: topic(["a", "b"])', "or a pattern: topic(/^phone-/)"],
    });
  checkFormat(format, `topic ${topics.join(", ") || pattern}`);
  const content = {
    topics,
    ...(pattern && { pattern: sourceOf(pattern) }),
    format,
    ...(key !== undefined && { key }),
    ...timeOption(time),
    ...(idle !== undefined && { idle: parseDuration(idle, "idle") }),
    ...(schema && { schema: Object.freeze({ ...schema }) }),
  } as const;
  const label = pattern?.source ?? topics.join("+");
  return new StreamFrame(sourceNode({ id: contentId(label, content), ...content }));
}

/** @throws Refusal `NOT_A_FUNCTION`, `ASYNC_FUNCTION` */
function timeOption(time: TopicOptions["time"]): Pick<SourceNode, "time" | "timeOf" | "timeCode" | "timeFn"> {
  if (time === undefined) return {};
  if (typeof time === "string") return { time };
  if (polars.Expr.isExpr(time)) return { timeOf: tree(time) };
  return { timeCode: functionSource(time, "topic: time"), timeFn: time as SourceNode["timeFn"] };
}

/** The pattern as text; flags that matter for a name go inside: `/phone/i` is `(?i:phone)`. */
function sourceOf({ source, ignoreCase }: RegExp): string {
  return ignoreCase ? `(?i:${source})` : source;
}
