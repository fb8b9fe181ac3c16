import { Cluster, kafkaConfigFromEnv } from "../../lib/log/index.ts";
import { type TopicPartitionOffsets, topicPartitions } from "../topic-partitions.ts";

export interface TopicDescription {
  readonly name: string;
  readonly partitions: readonly TopicPartitionOffsets[];
  /** Names to dtypes, inferred from a sample. */
  readonly schema: Readonly<Record<string, string>>;
  /** The newest rows, as text. */
  readonly sample: readonly Readonly<Record<string, string>>[];
  /** A statement that reads the topic, typed. */
  readonly cell: string;
}

const SAMPLE = 5;
const TIME_NAMES = /^(timestamp|time|ts|event_?time|created_?at|occurred_?at)$/i;

/** Names of all topics. */
export async function listTopics(): Promise<{ topics: string[]; servers: string }> {
  const config = kafkaConfigFromEnv();
  const cluster = await Cluster.connect(config);
  try {
    return { topics: (await cluster.topicsMatching(".*")).sort(), servers: String(config.bootstrapServers) };
  } finally {
    await cluster.close();
  }
}

/** What a topic holds. @throws MillraceError `EMPTY_TOPIC`, `NO_READABLE_RECORD`, … */
export async function describeTopic(name: string): Promise<TopicDescription> {
  const cluster = await Cluster.connect(kafkaConfigFromEnv());
  const partitions = await topicPartitions(cluster, name).finally(() => cluster.close());
  const { topic, pl } = await import("../../lib/index.ts");
  const plain = topic(name);
  const schema = await plain.schema;
  const newest = Object.fromEntries(
    partitions.map(({ partition, first, end }) => [partition, Math.max(first, end - SAMPLE)]),
  );
  const rows = await plain.select(...Object.keys(schema), pl.col("_key").alias("record key")).collect({ from: newest });
  const records = rows.tail(SAMPLE).toRecords() as Record<string, unknown>[];
  return {
    name,
    partitions,
    schema,
    sample: records.map((record) =>
      Object.fromEntries(Object.entries(record).map(([column, value]) => [column, text(value)])),
    ),
    cell: cellFor(name, schema, records),
  };
}

const text = (value: unknown): string =>
  value === null || value === undefined
    ? "null"
    : value instanceof Date
      ? value.toISOString()
      : typeof value === "object"
        ? JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each))
        : String(value);

/** `const phoneData = topic("phone-data", { key, time, schema })`: the key where records have one, the time where a column's name says so. */
function cellFor(
  name: string,
  schema: Readonly<Record<string, string>>,
  records: readonly Record<string, unknown>[],
): string {
  const keyed = records.some((record) => record["record key"] !== null);
  const field = Object.keys(schema).find(
    (column) => keyed && records.every((record) => String(record[column]) === record["record key"]),
  );
  const time = Object.keys(schema).find((column) => TIME_NAMES.test(column));
  const columns = Object.entries(schema).map(
    ([column, dtype]) =>
      `    ${property(column)}: ${JSON.stringify(column === time && dtype !== "Utf8" ? "Datetime(ms)" : dtype)},`,
  );
  const options = [
    ...(keyed ? [`  key: ${JSON.stringify(field ?? "key")},`] : []),
    ...(time === undefined ? [] : [`  time: ${JSON.stringify(time)},`]),
    "  schema: {",
    ...columns,
    "  },",
  ];
  const own = variable(name);
  return `const ${own} = topic(${JSON.stringify(name)}, {\n${options.join("\n")}\n});\n${own}`;
}

const property = (name: string) => (/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name));

/** A name for what a topic is read into. */
export function variable(topic: string): string {
  const words = topic.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const name = words.map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1))).join("");
  if (name === "") return "rows";
  return /^[\p{L}]/u.test(name) && isFree(name) ? name : `topic${name}`;
}

/** Neither a word of the language nor what the cell uses itself. */
function isFree(name: string): boolean {
  if (name === "topic") return false;
  try {
    new Function(`"use strict"; async () => { const ${name} = 0; }`);
    return true;
  } catch {
    return false;
  }
}
