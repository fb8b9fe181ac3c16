import type { GroupMember } from "../../log/index.ts";
import { ChangelogCodec } from "../../state/changelog/codec.ts";
import type { Changes } from "../../state/memory-store.ts";
import type { JobPlan } from "./job-plan.ts";
import type { PartitionTask } from "./partition-task.ts";
import { planMark } from "./plan-mark.ts";
import type { WorkerContext } from "./worker.ts";

/** Store -> its codec, made when first needed. */
export type Codecs = Map<string, ChangelogCodec>;

/** What a task changed in its stores, to be kept in the state file next. */
export interface TaskChanges {
  readonly task: PartitionTask;
  readonly changes: ReadonlyMap<string, Changes>;
}

/**
 * The Kafka part of a checkpoint: changelogs and group offsets (and whatever is in the open transaction) become true together, or not at all.
 * @param saved what earlier checkpoints changed is in the state file
 * @param check called once no rebalance can come in between; throws where the tasks are not this worker's any more
 */
export async function commitTransaction(
  { io, plan, topics, cluster, settings }: WorkerContext,
  member: GroupMember,
  codecs: Codecs,
  tasks: readonly PartitionTask[],
  saved: boolean,
  check: () => void,
): Promise<readonly TaskChanges[]> {
  const now = Date.now();
  io.begin();
  const changes: TaskChanges[] = [];
  for (const task of tasks) await task.inputs?.settle();
  for (const task of tasks) await task.files?.draft();
  for (const task of tasks) changes.push({ task, changes: await task.takeChanges(saved) });

  // What the changelogs hold before this checkpoint is in our rows already, and a replay may start there. If they hold more than
  // that, from an owner after us, then the commit below fails and nothing of this is kept.
  const stores = new Set(changes.flatMap(({ changes }) => [...changes.keys()]));
  const ends = Promise.all(
    [...stores].map(
      async (store) => [store, await cluster.listOffsets(topics.changelog(store), "latest", "read_committed")] as const,
    ),
  );
  ends.catch(() => {});
  for (const store of stores) {
    const changed = changes.filter(({ changes }) => changes.has(store));
    for (const group of inGroups(changed, store)) {
      const records = codec(plan, codecs, store).encodeEach(
        group.map(({ changes }) => changes.get(store)!),
        now,
      );
      for (const [i, { task }] of group.entries())
        await io.transactional.send(topics.changelog(store), task.partition, records[i]!);
    }
  }
  for (const [store, offsets] of await ends) {
    for (const { task } of changes) task.contains(store, offsets.get(task.partition) ?? 0);
  }
  await io.flush();
  const offsets = tasks.flatMap((task) =>
    [...task.offsets].map(([topic, offset]) => [{ topic, partition: task.partition }, offset] as const),
  );
  await member.stable(async (generation) => {
    check();
    await io.transactional.sendOffsets(settings.name, generation, offsets, planMark(plan));
    await io.commit();
  });
  for (const task of tasks) await task.files?.publish();
  return changes;
}

/** Changes of one store that are encoded together: small ones, since each encoding costs some queries; what is large would only take more memory. */
function inGroups(changed: readonly TaskChanges[], store: string): TaskChanges[][] {
  const groups: TaskChanges[][] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const one of changed) {
    const { upserted, removed } = one.changes.get(store)!;
    rows += upserted.height + removed.height;
    if (rows > ROWS_TOGETHER) {
      groups.push([]);
      rows = upserted.height + removed.height;
    }
    groups.at(-1)!.push(one);
  }
  return groups;
}

const ROWS_TOGETHER = 20_000;

function codec(plan: JobPlan, codecs: Codecs, store: string): ChangelogCodec {
  let known = codecs.get(store);
  if (known === undefined) {
    const spec = plan.stores.find(({ name }) => name === store);
    if (spec === undefined) throw new TypeError(store);
    known = new ChangelogCodec(spec);
    codecs.set(store, known);
  }
  return known;
}
