import { Refusal } from "../../error.ts";
import { type Cluster, committedPositions, type TopicPartition } from "../../log/index.ts";
import { clockVerbs } from "../../plan/clock-verbs.ts";
import { changelogsOf, confirm, discardOffsets, discardTopics, refuseWorkers } from "./discard.ts";
import { changelogTopic } from "./internal-topics.ts";
import type { JobPlan } from "./job-plan.ts";
import { partitionsChanged } from "./job-topics.ts";
import type { JobLog } from "./log.ts";
import { FILES_STORE } from "./partition-files.ts";
import { PLACED_STORE } from "./placed-store.ts";
import { readPlans, recordRebuild } from "./plan-history.ts";
import { READ_STORE } from "./read-store.ts";
import { offsetsText } from "./repartition-records.ts";
import { firstRecord, lastRows, type Repartitions, repartitionsOf, rowsUnderWay } from "./rows-under-way.ts";
import type { JobSettings } from "./settings.ts";
import type { WarmRanges } from "./warm.ts";

/**
 * Builds a job's state anew: the records up to its committed offsets are read once more, without anything being written for them, and the job
 * goes on from there. Which records these are is noted in the plan topic before anything is deleted: cut off at any instant, the job refuses to
 * start and another rebuild goes on, or the next start does.
 * @throws {Refusal} `NOT_CONFIRMED`, `WORKERS_RUNNING`, `NOTHING_TO_REBUILD`, `UNFINISHED`, `PARTITIONS_CHANGED`
 */
export async function rebuildJob(cluster: Cluster, plan: JobPlan, settings: JobSettings, log: JobLog): Promise<void> {
  const { name } = settings;
  const { plans, rebuild } = await readPlans(cluster, name);
  if (plan.stores.length === 0) throw nothing(name, "its plan keeps no state");
  await refuseWorkers(cluster, settings);
  const changelogs = changelogsOf(name, plan, plans.values());
  const { ranges, lost, begun } = await rangesOf(cluster, plan, settings, rebuild?.ranges, changelogs);
  const byClock = clockVerbs([...plan.sinks.values(), ...plan.tables.values(), ...plan.files.values()]);
  const told = byClock.map(
    (verb) =>
      `Records do not tell what the wall clock has closed or called: "${verb}" gives it once more where event time has not come that far.`,
  );
  const repartitions = await repartitionsOf(cluster, plan, name);
  // a rebuild that was cut off has thrown the offsets away that would tell
  if (begun || rebuild === undefined) await refuseUnfinished(cluster, repartitions, name, ranges);
  const found = JSON.stringify(ranges);
  const records = Object.values(ranges)
    .flatMap((partitions) => Object.values(partitions))
    .reduce((sum, [from, until]) => sum + until - from, 0);
  if (records === 0) throw nothing(name, "its group has no committed offsets");
  await confirm(
    [
      `--rebuild deletes the state of ${name} and builds it anew from the ${records} records up to its committed offsets, without writing anything for them; then it goes on.`,
      ...lost,
      ...told,
    ].join("\n"),
    settings,
  );
  for (const line of [...lost, ...told]) log.warn(line);
  if (JSON.stringify((await rangesOf(cluster, plan, settings, rebuild?.ranges, changelogs)).ranges) !== found)
    throw new Refusal({
      code: "WORKERS_RUNNING",
      what: `A worker of ${name} has gone on meanwhile.`,
      where: `group ${name}`,
      remedies: ["stop all workers, then try again"],
    });
  await recordRebuild(cluster, name, ranges);
  await discardOffsets(cluster, settings);
  // files that were written stay, and so does what is known of them
  const kept = changelogTopic(name, FILES_STORE.name);
  await discardTopics(cluster, [...changelogs.filter((topic) => topic !== kept), ...repartitions.keys()], log);
  log.info("building the state anew", { records });
}

/**
 * A partition of whose sender some task does not know that it has ended where its offsets are: the task's windows wait for it still, and would not where the
 * records are read once more to their end.
 */
async function unfinishedSender(
  cluster: Cluster,
  name: string,
  ranges: WarmRanges,
): Promise<TopicPartition | undefined> {
  const topic = changelogTopic(name, PLACED_STORE.name);
  const offset = (topicName: string, sender: number) => ranges[topicName]?.[sender]?.[1] ?? 0;
  for (const [partition, rows] of await lastRows(cluster, topic))
    for (const { sender, over } of rows as { sender: number; over: string | null }[])
      if (over !== offsetsText(Object.keys(ranges).map((one) => [one, offset(one, sender)])))
        return { topic, partition };
  return undefined;
}

/**
 * What was written for the records up to the committed offsets has to be all that they make: rows that tasks have sent each other, and records that one
 * source of several of a topic has read and another has not, would be lost or written twice.
 */
async function refuseUnfinished(
  cluster: Cluster,
  repartitions: Repartitions,
  name: string,
  ranges: WarmRanges,
): Promise<void> {
  const read = (await cluster.topics()).has(changelogTopic(name, READ_STORE.name));
  const ends = Object.entries(ranges).flatMap(([topic, partitions]) =>
    Object.entries(partitions).map(([partition, [, offset]]) => ({ topic, partition: Number(partition), offset })),
  );
  const found =
    (await rowsUnderWay(cluster, repartitions)) ??
    (repartitions.size > 0 ? await unfinishedSender(cluster, name, ranges) : undefined) ??
    (read ? await firstRecord(cluster, ends) : undefined);
  if (found === undefined) return;
  throw new Refusal({
    code: "UNFINISHED",
    what: `${name} has not finished what it has begun to read, and what was written for it is not known by offsets of its sources: state that is built anew would lack rows, or write them twice.`,
    where: `topic ${found.topic}, partition ${found.partition}`,
    remedies: [
      "let the version that wrote the state finish, while nothing new is produced: run it with --until end; then --rebuild",
      "or begin anew, with outputs written once more: --reset",
    ],
  });
}

/** From where a new job starts to the committed offsets, or to the end of a rebuild that was cut off; and whether there are committed offsets. */
async function rangesOf(
  cluster: Cluster,
  plan: JobPlan,
  { name, from, warm }: JobSettings,
  before: WarmRanges | undefined,
  changelogs: readonly string[],
): Promise<{ ranges: WarmRanges; lost: string[]; begun: boolean }> {
  const sources = [...new Set(plan.program.sources.flatMap(({ node }) => node.topics))];
  const metadata = await cluster.metadata(sources);
  const kept = await partitionsOf(cluster, changelogs);
  const ranges: Record<string, Record<string, [number, number]>> = {};
  const lost: string[] = [];
  let begun = false;
  for (const [topic, { partitions }] of metadata) {
    if (kept !== undefined && kept !== partitions.length)
      throw partitionsChanged(kept, partitions.length, `topic ${topic}`);
    const all = partitions.map((_, partition) => ({ topic, partition }));
    const committed = (await committedPositions(cluster, name, all, { requireStable: true })).get(topic);
    begun ||= (committed?.size ?? 0) > 0;
    const earliest = await cluster.listOffsets(topic, "earliest");
    const starts = typeof from === "number" ? await cluster.listOffsets(topic, from) : earliest;
    const latest = await cluster.listOffsets(topic, "latest", "read_uncommitted");
    ranges[topic] = {};
    for (const { partition } of all) {
      const ends = [
        committed?.get(partition)?.offset,
        before?.[topic]?.[partition]?.[1],
        warm?.[topic]?.[partition]?.[1],
      ];
      const until = Math.max(0, ...ends.map((end) => end ?? 0));
      if (until === 0) continue; // it begins as in a new job
      if (until > (latest.get(partition) ?? 0)) throw recreated(topic, partition, until);
      const first = earliest.get(partition) ?? 0;
      const start = Math.max(
        first,
        before?.[topic]?.[partition]?.[0] ?? warm?.[topic]?.[partition]?.[0] ?? starts.get(partition) ?? until,
      );
      if (first > 0 && until > 0)
        lost.push(
          `Records of ${topic}, partition ${partition}, before offset ${first} are not in the log any more: the state will lack them.`,
        );
      ranges[topic][partition] = [Math.min(start, until), until];
    }
  }
  return { ranges, lost, begun };
}

/** For how many partitions state is kept, where it is. */
async function partitionsOf(cluster: Cluster, changelogs: readonly string[]): Promise<number | undefined> {
  const there = await cluster.topics();
  const topic = changelogs.find((changelog) => there.has(changelog));
  return topic === undefined ? undefined : (await cluster.metadata([topic])).get(topic)?.partitions.length;
}

function nothing(name: string, why: string): Refusal {
  return new Refusal({
    code: "NOTHING_TO_REBUILD",
    what: `${name} has no state to build anew: ${why}.`,
    remedies: ["start it without --rebuild"],
  });
}

function recreated(topic: string, partition: number, offset: number): Refusal {
  return new Refusal({
    code: "TOPIC_RECREATED",
    what: `The job had read up to offset ${offset}, and the topic ends before that: it was deleted and created again, and the state cannot be made of it.`,
    where: `topic ${topic}, partition ${partition}`,
    remedies: ["begin anew on the new topic: --reset"],
  });
}
