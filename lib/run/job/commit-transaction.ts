import type { GroupMember } from "../../log/index.ts";
import { ChangelogCodec } from "../../state/changelog/codec.ts";
import type { PartitionPosition } from "../../state/duckdb/state-file.ts";
import type { Changes } from "../../state/memory-store.ts";
import type { JobPlan } from "./job-plan.ts";
import type { PartitionTask, TaskCounts } from "./partition-task.ts";
import { planMark } from "./plan-mark.ts";
import type { WorkerContext } from "./worker.ts";

/** Store -> its codec, made when first needed. */
export type Codecs = Map<string, ChangelogCodec>;

/** What a task did up to a checkpoint. */
export interface SealedTask {
  readonly task: PartitionTask;
  /** Of its stores, to be kept in the state file next. */
  readonly changes: ReadonlyMap<string, Changes>;
  readonly position: PartitionPosition;
  readonly counts: TaskCounts;
}

/**
 * The first half of a checkpoint: takes what the tasks changed and sends it to the changelogs. What they do from here on counts for the next one.
 * @param saved what earlier checkpoints changed is in the state file
 */
export async function seal(
  { io, plan, topics, cluster }: WorkerContext,
  codecs: Codecs,
  tasks: readonly PartitionTask[],
  saved: boolean,
): Promise<readonly SealedTask[]> {
  const now = Date.now();
  await io.begin();
  for (const task of tasks) await task.inputs?.settle();
  for (const task of tasks) await task.files?.draft();
  const sealed: { task: PartitionTask; changes: ReadonlyMap<string, Changes> }[] = [];
  for (const task of tasks) sealed.push({ task, changes: await task.takeChanges(saved) });

  // What the changelogs hold before this checkpoint is in our rows already, and a replay may start there. If they hold more than
  // that, from an owner after us, then the commit fails and nothing of this is kept.
  const stores = new Set(sealed.flatMap(({ changes }) => [...changes.keys()]));
  const ends = Promise.all(
    [...stores].map(
      async (store) => [store, await cluster.listOffsets(topics.changelog(store), "latest", "read_committed")] as const,
    ),
  );
  ends.catch(() => {});
  for (const store of stores) {
    const changed = sealed.filter(({ changes }) => changes.has(store));
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
    for (const { task } of sealed) task.contains(store, offsets.get(task.partition) ?? 0);
  }
  return sealed.map(({ task, changes }) => ({ task, changes, position: task.position(), counts: task.takeCounts() }));
}

/**
 * The second half: changelogs and group offsets (and whatever is in the open transaction) become true together, or not at all.
 * @param check called once no rebalance can come in between; throws where the tasks are not this worker's any more
 */
export async function commit(
  { io, plan, settings }: WorkerContext,
  member: GroupMember,
  sealed: readonly SealedTask[],
  check: () => void,
): Promise<void> {
  await io.flush();
  const offsets = sealed.flatMap(({ task: { partition }, position }) =>
    Object.entries(position.offsets).map(([topic, offset]) => [{ topic, partition }, offset] as const),
  );
  await member.stable(async (generation) => {
    check();
    await io.transactional.sendOffsets(settings.name, generation, offsets, planMark(plan));
    await io.commit();
  });
  for (const { task } of sealed) await task.files?.publish();
}

/** Changes of one store that are encoded together: small ones, since each encoding costs some queries; what is large would only take more memory. */
function inGroups<Changed extends Pick<SealedTask, "changes">>(
  changed: readonly Changed[],
  store: string,
): Changed[][] {
  const groups: Changed[][] = [];
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
