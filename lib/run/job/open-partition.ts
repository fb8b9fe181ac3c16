import { Refusal } from "../../error.ts";
import { type Cluster, committedPositions, type TopicPartition } from "../../log/index.ts";
import { type RestoreProgress, restoreFromChangelog } from "../../state/changelog/restore.ts";
import type { PartitionPosition, StateFile } from "../../state/duckdb/state-file.ts";
import { MemoryStore } from "../../state/memory-store.ts";
import { PartitionStores, type Saved } from "../../state/partition-stores.ts";
import { bytesPerRow, type StateMemory } from "../../state/state-memory.ts";
import type { OpenStore } from "../../state/store.ts";
import type { JobPlan } from "./job-plan.ts";
import { type JobTopics, TOMBSTONES_KEPT } from "./job-topics.ts";
import type { JobLog } from "./log.ts";
import { FILES_STORE, PartitionFiles } from "./partition-files.ts";
import { PartitionTask } from "./partition-task.ts";
import { refuseOtherPlan } from "./plan-mark.ts";
import type { JobSettings } from "./settings.ts";
import { warmStart } from "./warm.ts";

export interface PartitionContext {
  readonly cluster: Cluster;
  readonly plan: JobPlan;
  readonly topics: JobTopics;
  readonly settings: JobSettings;
  readonly file: StateFile;
  readonly memory: StateMemory;
  readonly log: JobLog;
}

/** Rows of a local file that is older are not built upon: what says that they are gone may be gone itself. */
const LOCAL_GOOD_FOR = TOMBSTONES_KEPT / 2;

/**
 * Opens one partition at the group's committed offsets, with exactly the state that belongs to them:
 * local rows and the changelog since where they stand there or are behind, else all of the changelog.
 * @throws {Refusal} `STATE_WITHOUT_OFFSETS`, `STATE_OF_ANOTHER_PLAN`
 */
export async function openPartition(
  context: PartitionContext,
  partition: number,
  sources: readonly TopicPartition[],
  options: { signal: AbortSignal; progress: (progress: RestoreProgress) => void },
): Promise<PartitionTask> {
  const { plan, cluster, settings } = context;
  const committed = await committedPositions(cluster, settings.name, sources, { requireStable: true });
  refuseOtherPlan(committed, plan, settings.name);
  const offsets = new Map<string, number>();
  for (const { topic } of sources) {
    const offset =
      committed.get(topic)?.get(partition)?.offset ??
      (await warmStart(cluster, settings.warm, topic, partition)) ??
      (await startOffset(
        cluster,
        topic,
        partition,
        context.topics.external.includes(topic) ? settings.from : "earliest",
      ));
    offsets.set(topic, offset);
  }
  const known = sources.some(({ topic }) => committed.get(topic)?.has(partition));
  const { stores, changelog, unsaved } =
    plan.stores.length === 0
      ? { stores: storesOf(context, partition), changelog: {}, unsaved: false }
      : known
        ? await restored(context, partition, offsets, options)
        : await begun(context, partition, options);

  const transient = new Map<string, MemoryStore>();
  const openStore: OpenStore = (spec) => {
    if (plan.stores.length > 0) return stores.get(spec.name);
    const store = transient.get(spec.name) ?? new MemoryStore(spec);
    transient.set(spec.name, store);
    return store;
  };
  const opened = new PartitionTask(partition, await plan.program.open(openStore), stores, offsets, changelog);
  // the first position is committed even if nothing comes, so that it stays where it was decided; so is what the changelog brought
  opened.dirty = !known || unsaved;
  if (plan.files.size > 0) {
    const files = { sinks: plan.files, root: settings.filesDir, job: settings.name };
    opened.files = await closedOnError(stores, PartitionFiles.open(files, partition, stores.get(FILES_STORE.name)));
  }
  return opened;
}

interface Opened {
  stores: PartitionStores;
  changelog: Record<string, number>;
  /** The file is behind: the next checkpoint saves what the changelog brought, and where the partition stands. */
  unsaved: boolean;
}

/**
 * So many records of a changelog are not saved before work begins: replacing their rows in a large file takes seconds, which the first output would wait for.
 * They are among the changes of the next checkpoint, and in the changelog a second time with it.
 */
const FEW = 10_000;

export function stateWithoutOffsets({ stores }: JobPlan, topics: JobTopics, where: string): Refusal {
  return new Refusal({
    code: "STATE_WITHOUT_OFFSETS",
    what: "The job's changelogs hold state, but its group has no committed offsets (expired or deleted): reading again from the start would count records twice.",
    where,
    remedies: [
      "where a --rebuild was cut off: --rebuild once more",
      "start from nothing under a new name: MILLRACE_JOB_NAME and MILLRACE_STATE_DIR",
      `or delete the state: the topics ${stores.map(({ name }) => topics.changelog(name)).join(", ")} and the state folder`,
      "or set the group's offsets back to where they were",
    ],
  });
}

type Options = { signal: AbortSignal; progress: (progress: RestoreProgress) => void };

/** A group without committed offsets: there must be no state either. */
async function begun(context: PartitionContext, partition: number, options: Options): Promise<Opened> {
  const { plan, file, settings, topics } = context;
  const stores = storesOf(context, partition);
  const { changelog } = await closedOnError(stores, replayed(context, partition, stores, {}, options));
  const ofFiles = settings.rebuilds && plan.files.size > 0 ? stores.get(FILES_STORE.name).size : 0;
  if (stores.rows > ofFiles) {
    stores.close();
    throw stateWithoutOffsets(plan, topics, `partition ${partition}`);
  }
  await file.drop(partition);
  return { stores, changelog, unsaved: false };
}

async function restored(
  context: PartitionContext,
  partition: number,
  offsets: ReadonlyMap<string, number>,
  options: Options,
): Promise<Opened> {
  const { file, log } = context;
  const local = (await file.positions()).get(partition);
  const standing = compare(local, offsets);
  if (standing === "equal") {
    const opened = await equal(context, partition, local as PartitionPosition, options);
    if (opened !== undefined) return opened;
  }
  const usable =
    (standing === "behind" || standing === "copy") &&
    (await changelogReaches(context, partition, local as PartitionPosition));
  if (local !== undefined)
    log.info(usable ? USED[standing as keyof typeof USED] : "local state is in doubt, rebuilding it", { partition });
  if (!usable) await file.drop(partition);
  const stores = storesOf(context, partition, usable ? await localRows(context, partition) : new Map());
  const from = usable ? (local as PartitionPosition).changelog : {};
  const { changelog, records } = await closedOnError(stores, replayed(context, partition, stores, from, options));
  const reached = { offsets: Object.fromEntries(offsets), changelog };
  return await saved(context, partition, stores, reached, usable ? records : Number.POSITIVE_INFINITY);
}

/**
 * Local rows at the group's offsets. They may be behind all the same: what the wall clock is the cause of (timers, windows that close when
 * it is quiet) changes state, and is given, at offsets that stand still. Undefined where the changelog since may no longer tell all of it.
 */
async function equal(
  context: PartitionContext,
  partition: number,
  local: PartitionPosition,
  options: Options,
): Promise<Opened | undefined> {
  const stores = storesOf(context, partition, await localRows(context, partition));
  const { changelog, records } = await closedOnError(
    stores,
    replayed(context, partition, stores, local.changelog, options),
  );
  if (records === 0) {
    context.log.info("local state is intact, going on from it", { partition });
    return { stores, changelog, unsaved: false };
  }
  if (Date.now() - local.at > LOCAL_GOOD_FOR) {
    stores.close();
    return undefined;
  }
  // the last checkpoint at least: it notes where the changelog ended before it
  context.log.info("local state is intact, replaying the end of its changelog", { partition });
  return await saved(context, partition, stores, { offsets: local.offsets, changelog }, records);
}

/**
 * Opened, and saved first unless only a few records of the changelog have come upon the rows of the file. Always where inputs are read in one order: a checkpoint
 * there tells other tasks how far this one is, for which it has to have read.
 */
async function saved(
  { file, plan }: PartitionContext,
  partition: number,
  stores: PartitionStores,
  reached: Pick<PartitionPosition, "offsets" | "changelog">,
  records: number,
): Promise<Opened> {
  const unsaved = records <= FEW && !plan.ordered;
  if (!unsaved) {
    const watermark = Number.NaN; // shown only; the next checkpoint writes it
    const position = { ...reached, watermark, at: Date.now() };
    await file.commit([{ partition, position, changes: await stores.takeChanges() }]);
  }
  return { stores, changelog: reached.changelog, unsaved };
}

const USED = {
  behind: "local state is behind, replaying its changelog",
  copy: "going on from the standby copy",
};

/** A copy was read from the changelog: it stands at no offsets, and what the changelog holds since brings it up to any. */
function compare(
  local: PartitionPosition | undefined,
  committed: ReadonlyMap<string, number>,
): "equal" | keyof typeof USED | "other" {
  if (local === undefined) return "other";
  if (Object.keys(local.offsets).length === 0) return "copy";
  const topics = [...committed.keys()];
  if (topics.length !== Object.keys(local.offsets).length || topics.some((topic) => !(topic in local.offsets)))
    return "other";
  if (topics.every((topic) => local.offsets[topic] === committed.get(topic))) return "equal";
  return topics.every((topic) => (local.offsets[topic] as number) <= (committed.get(topic) as number))
    ? "behind"
    : "other";
}

/** Whether what a changelog holds since brings local rows up to date. */
export async function changelogReaches(
  { plan, cluster, topics }: PartitionContext,
  partition: number,
  local: PartitionPosition,
): Promise<boolean> {
  if (Date.now() - local.at > LOCAL_GOOD_FOR) return false;
  for (const { name } of plan.stores) {
    const position = local.changelog[name];
    const end = (await cluster.listOffsets(topics.changelog(name), "latest", "read_uncommitted")).get(partition) ?? 0;
    if (position === undefined || position > end) return false;
  }
  return true;
}

async function closedOnError<T>(stores: PartitionStores, work: Promise<T>): Promise<T> {
  return await work.catch((error) => {
    stores.close();
    throw error;
  });
}

function storesOf(
  { plan, file, memory }: PartitionContext,
  partition: number,
  saved: ReadonlyMap<string, Saved> = new Map(),
): PartitionStores {
  return new PartitionStores(plan.stores, memory, (store) => file.cold(store, partition), saved);
}

/** What the file holds of a partition: in memory where that has room, else where it is. */
async function localRows({ plan, file, memory }: PartitionContext, partition: number): Promise<Map<string, Saved>> {
  const rows = new Map<string, Saved>();
  for (const { name, schema } of plan.stores) {
    const size = await file.count(name, partition);
    const bytes = size === 0 ? 0 : size * bytesPerRow(schema, await file.sample(name, partition));
    rows.set(name, memory.fits(bytes) ? { rows: await file.load(name, partition) } : { size });
  }
  return rows;
}

async function replayed(
  { plan, cluster, topics, file, memory, log }: PartitionContext,
  partition: number,
  stores: PartitionStores,
  from: Readonly<Record<string, number>>,
  { signal, progress }: Options,
): Promise<{ changelog: Record<string, number>; records: number }> {
  const hasRows = Object.keys(from).length > 0;
  const began = performance.now();
  let shown = began;
  let records = 0;
  const changelog = await restoreFromChangelog(
    cluster,
    partition,
    plan.stores.map(({ name }) => ({
      topic: topics.changelog(name),
      store: stores.get(name),
      ...(from[name] === undefined ? {} : { from: from[name] }),
    })),
    {
      signal,
      async applied() {
        if (!memory.crowded || (hasRows && records <= FEW)) return; // few are not worth it that what the file has of the partition loses its position
        // without one: until the end is reached these rows are not of one moment
        await file.commit([{ partition, changes: await stores.takeChanges() }]);
      },
      progress(now) {
        records = now.records;
        progress(now);
        if (performance.now() - shown < 2000) return;
        shown = performance.now();
        log.info("restoring", {
          partition,
          records,
          percent: Math.floor(now.share * 100),
          recordsPerSecond: Math.round(now.recordsPerSecond),
          secondsLeft: Number.isNaN(now.secondsLeft) ? "unknown" : Math.ceil(now.secondsLeft),
        });
      },
    },
  );
  if (records > 0)
    log.info("restored", { partition, records, rows: stores.rows, seconds: (performance.now() - began) / 1000 });
  return { changelog, records };
}

/** Where a partition without a committed offset starts. */
export async function startOffset(
  cluster: Cluster,
  topic: string,
  partition: number,
  from: JobSettings["from"],
): Promise<number> {
  const offset = (
    await cluster.listOffsets(topic, from, from === "latest" ? "read_committed" : "read_uncommitted")
  ).get(partition);
  return offset ?? 0;
}
