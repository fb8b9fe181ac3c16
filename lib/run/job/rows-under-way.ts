import type { ByteColumn } from "../../log/columns.ts";
import {
  type Cluster,
  committedPositions,
  type FetchedPartition,
  type Range,
  readRanges,
  type TopicPartition,
} from "../../log/index.ts";
import { repartitionTopic } from "./internal-topics.ts";
import type { JobPlan } from "./job-plan.ts";
import { partitionsOf } from "./job-topics.ts";
import { cell, textOf } from "./samples.ts";

/** Topics through which tasks send each other rows: topic -> partition -> up to where they are read. */
export type Repartitions = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** Those of this plan, and of plans that ran before it. */
export async function repartitionsOf(cluster: Cluster, plan: JobPlan, job: string): Promise<Repartitions> {
  const own = new Set(plan.program.repartitions.map(({ name }) => repartitionTopic(job, name)));
  // those of earlier plans are known by having been read; another job's may have such a name, too
  const topics = [...(await cluster.topics()).keys()].filter(
    (topic) => topic.startsWith(`${job}-`) && topic.endsWith("-repartition"),
  );
  if (topics.length === 0) return new Map();
  const partitions = await partitionsOf(cluster, topics);
  const committed = await committedPositions(cluster, job, partitions, { requireStable: false });
  return new Map(
    topics
      .filter((topic) => own.has(topic) || committed.get(topic)?.size)
      .map((topic) => {
        const numbers = partitions.filter((one) => one.topic === topic).map(({ partition }) => partition);
        return [topic, new Map(numbers.map((n) => [n, committed.get(topic)?.get(n)?.offset ?? 0]))];
      }),
  );
}

/**
 * Where rows lie that tasks of a job have sent each other and not worked on: of which of its source's records these are is not known. Undefined where there
 * are none.
 */
export async function rowsUnderWay(cluster: Cluster, repartitions: Repartitions): Promise<TopicPartition | undefined> {
  const read = [...repartitions].flatMap(([topic, offsets]) =>
    [...offsets].map(([partition, offset]) => ({ topic, partition, offset })),
  );
  // a record without rows says how far a task has come
  return await firstRecord(cluster, read, ({ starts, ends }, i) => ends[i]! > starts[i]!);
}

/** A partition that has a record from its offset on. @param counts by its value; every record does where this is left out */
export async function firstRecord(
  cluster: Cluster,
  positions: readonly (TopicPartition & { readonly offset: number })[],
  counts: (values: ByteColumn, index: number) => boolean = () => true,
): Promise<TopicPartition | undefined> {
  for await (const { topic, partition, columns } of recordsFrom(cluster, positions))
    for (let i = 0; i < columns.count; i++) if (counts(columns.values, i)) return { topic, partition };
  return undefined;
}

/** The rows that a changelog leaves, by partition: what was said last of each key. */
export async function lastRows(cluster: Cluster, topic: string): Promise<ReadonlyMap<number, readonly unknown[]>> {
  if (!(await cluster.topics()).has(topic)) return new Map();
  const starts = [...(await cluster.listOffsets(topic, "earliest"))];
  const last = new Map<number, Map<string, string>>();
  const positions = starts.map(([partition, offset]) => ({ topic, partition, offset }));
  for await (const { partition, columns } of recordsFrom(cluster, positions))
    for (let i = 0; i < columns.count; i++) {
      const [key, value] = [cell(columns.keys, i), cell(columns.values, i)].map((bytes) => bytes && textOf(bytes));
      const rows = last.get(partition) ?? new Map<string, string>();
      last.set(partition, rows);
      if (value === null) rows.delete(key ?? "");
      else rows.set(key ?? "", value!);
    }
  return new Map([...last].map(([partition, rows]) => [partition, [...rows.values()].map((text) => JSON.parse(text))]));
}

/** What is committed from these positions to the ends as of now. */
async function* recordsFrom(
  cluster: Cluster,
  positions: readonly (TopicPartition & { readonly offset: number })[],
): AsyncGenerator<FetchedPartition> {
  const ranges: Range[] = [];
  for (const topic of new Set(positions.map(({ topic }) => topic))) {
    const ends = await cluster.listOffsets(topic, "latest", "read_committed");
    for (const { partition, offset } of positions.filter((position) => position.topic === topic))
      ranges.push({ topic, partition, from: offset, to: ends.get(partition) ?? 0 });
  }
  yield* readRanges(cluster, ranges);
}
