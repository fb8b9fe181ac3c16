import {
  type Cluster,
  committedPositions,
  Producer,
  ProducerFenced,
  type Range,
  readRanges,
  type TopicPartition,
  TransactionLost,
} from "../../log/index.ts";
import { ChangelogCodec } from "../../state/changelog/codec.ts";
import { MemoryStore } from "../../state/memory-store.ts";
import type { StoreSpec } from "../../state/store.ts";
import { ProgramRunner } from "../memory/program-runner.ts";
import type { JobPlan } from "./job-plan.ts";
import { type JobTopics, partitionsOf } from "./job-topics.ts";
import type { JobLog } from "./log.ts";
import { startOffset, stateWithoutOffsets } from "./open-partition.ts";
import { FILES_STORE } from "./partition-files.ts";
import { PLACED_STORE, type PlacedPosition, writePlaced } from "./placed-store.ts";
import { planMark } from "./plan-mark.ts";
import { offsetsText } from "./repartition-records.ts";
import { firstRecord } from "./rows-under-way.ts";
import type { JobSettings } from "./settings.ts";
import { type WarmRanges, warmParts, warmStart } from "./warm.ts";

/** Rows of a store that are sent at a time. */
const SLICE = 50_000;
/** How long another worker that began to do the same later is waited for before it is done anew, ms. */
const PATIENCE = 120_000;

/**
 * The warm start of a plan whose rows pass from task to task, and the rebuild of its state: what the notebook, or the job, had read is read once
 * more by all tasks together, in memory and as if it ended there, which is what the notebook did, and a job that had finished; the state that this
 * makes goes to the changelogs, and the offsets after it to the group, in one transaction. From there on the job is one that goes on after a
 * restart. Of several workers that begin at a time one succeeds, and the others find it done.
 * @returns the settings of a job that is not warm any more
 */
export async function seedState(
  cluster: Cluster,
  plan: JobPlan,
  topics: JobTopics,
  settings: JobSettings,
  log: JobLog,
): Promise<JobSettings> {
  const { warm, ...seeded } = settings;
  const isDone = () => isBegun(cluster, topics, settings.name);
  while (warm !== undefined && !(await isDone())) {
    try {
      await seed(cluster, plan, topics, settings, warm, log);
    } catch (error) {
      // a worker that is fenced asks the broker whether it is, which ends its successor's transaction: the successor makes it again
      if (error instanceof TransactionLost) continue;
      if (!(error instanceof ProducerFenced)) throw error;
      log.info("another worker makes the state, waiting for it");
      const end = performance.now() + PATIENCE;
      while (performance.now() < end && !(await isDone())) await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  return seeded;
}

/** Whether the group has offsets: its state is that of a job, however it began. */
async function isBegun(cluster: Cluster, { external }: JobTopics, name: string): Promise<boolean> {
  const committed = await committedPositions(cluster, name, await partitionsOf(cluster, external), {
    requireStable: true,
  });
  return [...committed.values()].some((partitions) => partitions.size > 0);
}

/**
 * State that is there before the offsets are is not what the records up to them make: it would be added to.
 * @throws {Refusal} `STATE_WITHOUT_OFFSETS`
 */
async function refuseOldState(cluster: Cluster, plan: JobPlan, topics: JobTopics): Promise<void> {
  const changelogs = plan.stores
    .filter(({ name }) => name !== FILES_STORE.name)
    .map(({ name }) => topics.changelog(name));
  const positions: (TopicPartition & { offset: number })[] = [];
  for (const topic of changelogs)
    for (const [partition, offset] of await cluster.listOffsets(topic, "earliest"))
      positions.push({ topic, partition, offset });
  const found = await firstRecord(cluster, positions, ({ starts, ends }, i) => ends[i]! > starts[i]!);
  if (found !== undefined)
    throw stateWithoutOffsets(plan, topics, `topic ${found.topic}, partition ${found.partition}`);
}

async function seed(
  cluster: Cluster,
  plan: JobPlan,
  topics: JobTopics,
  settings: JobSettings,
  warm: WarmRanges,
  log: JobLog,
): Promise<void> {
  const producer = await Producer.create(cluster, { transactionalId: `${settings.name}-warm` });
  try {
    // from here on nobody else can make it, and what others had begun is over
    if (await isBegun(cluster, topics, settings.name)) return;
    await refuseOldState(cluster, plan, topics);
    const began = performance.now();
    const stores = new Map<string, { partition: number; store: MemoryStore }>();
    const open = (partition: number, spec: StoreSpec) => {
      const store = new MemoryStore(spec);
      stores.set(`${spec.name}/${partition}`, { partition, store });
      return store;
    };
    const metadata = await cluster.metadata([...topics.external]);
    const counts = (source: string) =>
      new Map((topics.bySource.get(source) ?? []).map((topic) => [topic, metadata.get(topic)!.partitions.length]));
    const runner = new ProgramRunner(plan.program, {
      topics: new Map(plan.inputs.map(({ source }) => [source.id, counts(source.id)])),
      openStore: open,
    });
    const records = await feedRanges(cluster, plan, topics, warm, runner);
    const offsets: [TopicPartition, number][] = [];
    for (const [topic, { partitions }] of metadata)
      for (const partition of partitions.keys()) {
        // what the notebook had not read begins as in any job: every partition has state, if only of what others have sent it
        const seen = warm[topic]?.[partition]?.[1];
        const offset = seen ?? (await startOffset(cluster, topic, partition, settings.from));
        offsets.push([{ topic, partition }, offset]);
      }
    for (const [partition, positions] of await placedPositions(cluster, plan, topics, runner, offsets))
      await writePlaced(open(partition, PLACED_STORE), positions);

    producer.begin();
    let rows = 0;
    for (const { partition, store } of stores.values()) {
      const codec = new ChangelogCodec(store.spec);
      const all = await store.all();
      for (let start = 0; start < all.height; start += SLICE) {
        const upserted = all.slice(start, SLICE);
        const change = { upserted, removed: all.head(0).select(...store.spec.key) };
        await producer.send(topics.changelog(store.spec.name), partition, codec.encode(change, Date.now()));
      }
      rows += all.height;
    }
    // after what is left in them of before
    for (const topic of topics.repartitions.values())
      for (const [partition, end] of await cluster.listOffsets(topic, "latest"))
        if (end > 0) offsets.push([{ topic, partition }, end]);
    await producer.sendOffsets(settings.name, undefined, offsets, planMark(plan));
    await producer.commit();
    log.info(`state is as it was${settings.rebuilds ? "" : " in the notebook"}, rows are written from here on`, {
      records,
      rows,
      seconds: (performance.now() - began) / 1000,
    });
  } finally {
    await producer.close();
  }
}

/** Takes the records of the ranges through the program; what they make is not written. @returns how many there were */
async function feedRanges(
  cluster: Cluster,
  plan: JobPlan,
  topics: JobTopics,
  warm: WarmRanges,
  runner: ProgramRunner,
): Promise<number> {
  const ranges: Range[] = [];
  for (const [topic, partitions] of Object.entries(warm))
    for (const [partition, [, to]] of Object.entries(partitions)) {
      const from = (await warmStart(cluster, warm, topic, Number(partition))) ?? to;
      ranges.push({ topic, partition: Number(partition), from, to });
    }
  let records = 0;
  for await (const fetched of readRanges(cluster, ranges, { headers: true })) {
    const { topic, partition } = fetched;
    const parts = warmParts(fetched, warm).filter(({ silent }) => silent);
    for (const { source, reader } of plan.inputs) {
      if (!topics.bySource.get(source.id)?.includes(topic)) continue;
      for (const { fetched } of parts) {
        const { frame } = reader.read({ topic, partition, columns: fetched.columns });
        await runner.feed(source.id, topic, partition, frame);
      }
    }
    records += fetched.columns.count;
  }
  await runner.end();
  return records;
}

/** How far each task had come with what it sends to others, and that it ended there; what lies in their topics is of before. */
async function placedPositions(
  cluster: Cluster,
  plan: JobPlan,
  topics: JobTopics,
  runner: ProgramRunner,
  offsets: readonly (readonly [TopicPartition, number])[],
): Promise<Map<number, readonly PlacedPosition[]>> {
  const partitions = Array.from({ length: topics.partitions }, (_, partition) => partition);
  const ends = new Map<string, ReadonlyMap<number, number>>();
  for (const [id, topic] of topics.repartitions) ends.set(id, await cluster.listOffsets(topic, "latest"));
  const positionsOf = (partition: number) =>
    plan.program.repartitions.flatMap(({ id }) =>
      partitions.map(
        (sender): PlacedPosition => ({
          input: id,
          sender,
          offset: ends.get(id)?.get(partition) ?? 0,
          row: 0,
          reached: runner.reached(id, sender),
          over: offsetsText(
            topics.external.map((topic) => [
              topic,
              offsets.find(([one]) => one.topic === topic && one.partition === sender)?.[1] ?? 0,
            ]),
          ),
        }),
      ),
    );
  return new Map(partitions.map((partition) => [partition, positionsOf(partition)]));
}
