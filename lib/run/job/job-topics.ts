import { Refusal } from "../../error.ts";
import type { Cluster, TopicPartition } from "../../log/index.ts";
import { MODES } from "../modes.ts";
import { outputPartitions } from "../sink/output-topic.ts";
import { checkPartitionCounts } from "../source/check-partition-counts.ts";
import { changelogTopic, refuseSharedTopics, repartitionTopic } from "./internal-topics.ts";
import type { JobPlan } from "./job-plan.ts";
import type { JobLog } from "./log.ts";
import { planTopic } from "./plan-history.ts";
import { refuseForgetful } from "./refuse-forgetful.ts";

/** The topics of a job, all of them there. */
export interface JobTopics {
  /** source id -> topics */
  readonly bySource: ReadonlyMap<string, readonly string[]>;
  /** Everything that is read in the group: the topics of the sources, and those of the job's own repartitions. */
  readonly sources: readonly string[];
  /** The topics of the sources. */
  readonly external: readonly string[];
  /** repartition id -> its topic, in an order in which each depends on earlier ones only */
  readonly repartitions: ReadonlyMap<string, string>;
  /** Partitions of the sources; a task is one of these numbers. */
  readonly partitions: number;
  /** output topic -> partition count */
  readonly outputs: ReadonlyMap<string, number>;
  readonly deadLetter: string;
  readonly changelog: (store: string) => string;
}

/** A pattern never finds the topics that the job makes for itself. */
const isNoneOf = (job: string) => (topic: string) =>
  !(topic.startsWith(`${job}-`) && /-(dead-letter|changelog|repartition|plan)$/.test(topic));

/**
 * Without a time limit: record times may be old, and Kafka's default would delete such records within minutes. And of any time: records more than
 * an hour ahead of the broker's clock would be refused.
 */
const KEEP = { "retention.ms": "-1", "message.timestamp.after.max.ms": "9223372036854775807" };

/** A row may be as large as a record that brokers take by default, and a little is added to it. */
const LARGEST_SENT = String(4 * 1024 * 1024);

/** A dead letter is its record with headers beside it: whatever a source may hold has room, up to what brokers take in one request. */
const DEAD_LETTERS = { ...KEEP, "max.message.bytes": String(100 * 1024 * 1024) };

/** A changelog keeps what says that a key is gone so long, ms: by then a local file that still has it is not built upon. */
export const TOMBSTONES_KEPT = 24 * 3600 * 1000;

/** By the broker's clock: a worker's own may be wrong. */
const CHANGELOG = {
  ...KEEP,
  "cleanup.policy": "compact",
  "message.timestamp.type": "LogAppendTime",
  "delete.retention.ms": String(TOMBSTONES_KEPT),
};

/**
 * Finds the sources and makes what is missing: outputs (with the source's partition count), the dead-letter topic and the
 * changelogs, all kept without a time limit; changelogs are compacted.
 * @throws {Refusal} `PARTITIONS_CHANGED`, `NOT_CO_PARTITIONED`, `NOT_BUILT`, `NOT_COMPACTED`
 */
export async function prepareTopics(cluster: Cluster, plan: JobPlan, job: string, log: JobLog): Promise<JobTopics> {
  const bySource = new Map<string, readonly string[]>();
  for (const { source } of plan.inputs) {
    const { topics, pattern } = source.node;
    const found = pattern === undefined ? topics : (await cluster.topicsMatching(pattern)).filter(isNoneOf(job));
    if (found.length === 0) {
      throw new Refusal({
        code: "NO_TOPIC",
        what: `No topic matches ${pattern}.`,
        remedies: ["see what there is: npx millrace topics"],
      });
    }
    bySource.set(source.id, found);
  }
  const external = [...new Set([...bySource.values()].flat())];
  const metadata = await cluster.metadata(external);
  const counts = new Map([...metadata].map(([topic, { partitions }]) => [topic, partitions.length]));
  const partitions = Math.max(...counts.values());
  checkPartitionCounts(plan.program, counts);
  refuseSharedTopics(plan.stores);
  const changelog = (store: string) => changelogTopic(job, store);
  const there = await cluster.topics();
  const kept = [...plan.stores.map(({ name }) => changelog(name)), planTopic(job)];
  await refuseForgetful(
    cluster,
    kept.filter((topic) => there.has(topic)),
    log,
  );

  const outputs = new Map<string, number>();
  for (const { topic } of plan.sinks.values()) {
    if (!outputs.has(topic)) outputs.set(topic, await ensured(cluster, topic, partitions, KEEP, log));
  }
  const deadLetter = `${job}-dead-letter`;
  await ensured(cluster, deadLetter, partitions, DEAD_LETTERS, log);
  for (const { name } of plan.stores) {
    const topic = changelog(name);
    const count = await ensured(cluster, topic, partitions, CHANGELOG, log);
    if (count !== partitions) throw partitionsChanged(count, partitions, topic);
  }
  const repartitions = new Map<string, string>();
  for (const { id, name } of plan.program.repartitions) {
    const topic = repartitionTopic(job, name);
    const count = await ensured(cluster, topic, partitions, { ...KEEP, "max.message.bytes": LARGEST_SENT }, log);
    if (count !== partitions) throw partitionsChanged(count, partitions, topic);
    repartitions.set(id, topic);
  }
  const sources = [...external, ...repartitions.values()];
  return { bySource, external, sources, repartitions, partitions, outputs, deadLetter, changelog };
}

/** Every partition of these topics. */
export async function partitionsOf(cluster: Cluster, topics: readonly string[]): Promise<TopicPartition[]> {
  const metadata = await cluster.metadata([...topics]);
  return [...metadata].flatMap(([topic, { partitions }]) => partitions.map((_, partition) => ({ topic, partition })));
}

/** Keys are placed by the partition count: state of another count belongs to other keys. */
export function partitionsChanged(before: number, now: number, where: string): Refusal {
  return new Refusal({
    code: "PARTITIONS_CHANGED",
    what: `The state was kept for ${before} partitions, and the source now has ${now}: keys are placed anew, so the state no longer fits.`,
    where,
    remedies: [
      "start again under a new name, from the earliest record: MILLRACE_JOB_NAME and MILLRACE_STATE_DIR",
      "or read a copy of the source that has the old partition count",
    ],
  });
}

async function ensured(
  cluster: Cluster,
  topic: string,
  partitions: number,
  config: Readonly<Record<string, string>>,
  log: JobLog,
): Promise<number> {
  const created = () => log.info("topic created", { topic, partitions });
  return await outputPartitions(cluster, topic, MODES.job, { partitions, config, created });
}
