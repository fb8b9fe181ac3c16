import { Fetcher } from "../../log/index.ts";
import { ChangelogCodec } from "../../state/changelog/codec.ts";
import { joinedChanges } from "../../state/changelog/joined-changes.ts";
import type { Changes } from "../../state/memory-store.ts";
import { changelogReaches, type PartitionContext } from "./open-partition.ts";

/** How often what was read is saved, ms, and at how many records sooner. */
const SAVE_INTERVAL = 2000;
const MOST_RECORDS = 50_000;
/** How often a copy that does not change says that it is of today, ms: tombstones leave changelogs, so an old copy is not built upon. */
const REFRESH_INTERVAL = 3600_000;
const RETRY_PAUSE = 1000;

/** One changelog partition that is read along. */
interface Followed {
  readonly store: string;
  readonly codec: ChangelogCodec;
  at: number;
  /** Where it ended when this began. */
  readonly end: number;
  /** The end as of the last answer. */
  latest: number;
  readonly waiting: Changes[];
}

/** The copy of one partition's state. */
interface Copy {
  readonly partition: number;
  readonly topics: ReadonlyMap<string, Followed>;
  readonly began: number;
  records: number;
  savedAt: number;
  unsaved: boolean;
  warm: boolean;
}

export interface StandbyOptions extends PartitionContext {
  /** The copies that were asked for first are up to date. */
  readonly onWarm: () => void;
  readonly onFailed: (error: unknown) => void;
  readonly showLag: (partition: number, records: number | undefined) => void;
}

/**
 * Warm copies of the state of partitions that other workers own: their changelogs are read along into this worker's state file. A worker that is given
 * such a partition has the end of the changelog to replay only. Beside the loop of the worker; a copy has a changelog position and no offsets, and
 * SQL does not see it.
 */
export class Standbys {
  readonly #context: StandbyOptions;
  readonly #copies = new Map<number, Copy>();
  #fetcher: Fetcher | undefined;
  #wanted = new Set<number>();
  #awaited = new Set<number>();
  /** Copies come and go one after the other, and what was read is saved in between. */
  #turn: Promise<unknown> = Promise.resolve();
  #lastSave = performance.now();
  #closed = false;

  constructor(context: StandbyOptions) {
    this.#context = context;
  }

  /** Partitions whose copies are up to date. */
  warm(): number[] {
    return [...this.#copies.values()].filter(({ warm }) => warm).map(({ partition }) => partition);
  }

  /**
   * Keeps copies of these partitions from now on, and drops other ones.
   * @param next when all of these are up to date, `onWarm` is called
   * @param owned what this worker works on itself
   */
  follow(partitions: readonly number[], next: readonly number[], owned: (partition: number) => boolean): Promise<void> {
    return this.#exclusively(async () => {
      const { file } = this.#context;
      this.#wanted = new Set(partitions.filter((partition) => !owned(partition)));
      this.#awaited = new Set(next);
      for (const partition of [...this.#copies.keys()]) if (!this.#wanted.has(partition)) this.#forget(partition);
      for (const [partition, { offsets }] of await file.positions())
        if (Object.keys(offsets).length === 0 && !this.#wanted.has(partition) && !owned(partition))
          await file.drop(partition);
      await this.#beginWanted();
    });
  }

  /** Stops reading along for a partition that this worker is to open: what was read is in the file then. */
  release(partition: number): Promise<void> {
    return this.#exclusively(async () => {
      this.#wanted.delete(partition);
      const copy = this.#copies.get(partition);
      if (copy === undefined) return;
      this.#forget(partition);
      this.#readAnew();
      await this.#save([copy]);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#exclusively(async () => {
      await this.#fetcher?.close();
      await this.#save([...this.#copies.values()]);
    }).catch(() => {}); // copies are made again
  }

  /** Troubles of this do not stop the worker: it is tried again. */
  async #beginWanted(): Promise<void> {
    try {
      for (const partition of this.#wanted)
        if (!this.#copies.has(partition)) this.#copies.set(partition, await this.#begin(partition));
      this.#readAnew();
      this.#noteWarm();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #begin(partition: number): Promise<Copy> {
    const { plan, topics, cluster, file, log } = this.#context;
    const local = (await file.positions()).get(partition);
    const usable = local !== undefined && (await changelogReaches(this.#context, partition, local));
    if (usable) await file.setAside(partition);
    else await file.drop(partition);
    const followed = plan.stores.map(async (spec): Promise<[string, Followed]> => {
      const topic = topics.changelog(spec.name);
      const at =
        (usable ? local.changelog[spec.name] : undefined) ??
        (await cluster.listOffsets(topic, "earliest")).get(partition) ??
        0;
      const end = (await cluster.listOffsets(topic, "latest", "read_committed")).get(partition) ?? 0;
      return [topic, { store: spec.name, codec: new ChangelogCodec(spec), at, end, latest: end, waiting: [] }];
    });
    const copy: Copy = {
      partition,
      topics: new Map(await Promise.all(followed)),
      began: performance.now(),
      records: 0,
      savedAt: 0,
      unsaved: true,
      warm: false,
    };
    log.info("keeping a standby copy", { partition, records: lagOf(copy), from: usable ? "local rows" : "nothing" });
    return copy;
  }

  #forget(partition: number): void {
    this.#copies.delete(partition);
    this.#context.showLag(partition, undefined);
  }

  /** Another fetcher for what is followed now: nothing that the one before has under way can be taken for something after it. */
  #readAnew(): void {
    const { cluster } = this.#context;
    void this.#fetcher?.close().catch(() => {});
    this.#fetcher = undefined;
    if (this.#copies.size === 0 || this.#closed) return;
    const fetcher = new Fetcher(cluster, { isolation: "read_committed", newlines: "keep", maxBytes: 8 * 2 ** 20 });
    for (const { partition, topics } of this.#copies.values())
      for (const [topic, { at }] of topics) fetcher.assign(topic, partition, at);
    this.#fetcher = fetcher;
    void this.#read(fetcher);
  }

  /** Reads along until another fetcher takes its place. */
  async #read(fetcher: Fetcher): Promise<void> {
    const isCurrent = () => this.#fetcher === fetcher && !this.#closed;
    try {
      while (isCurrent()) {
        const fetched = await fetcher.poll();
        if (!isCurrent()) return;
        for (const { topic, partition, columns, nextOffset, lastStableOffset, error } of fetched) {
          if (error !== undefined) throw error;
          const copy = this.#copies.get(partition);
          const followed = copy?.topics.get(topic);
          if (copy === undefined || followed === undefined) continue;
          if (columns.count > 0) followed.waiting.push(followed.codec.decode(columns));
          followed.at = nextOffset;
          followed.latest = lastStableOffset;
          copy.records += columns.count;
          copy.unsaved = true;
        }
        if (this.#due()) await this.#exclusively(() => this.#save([...this.#copies.values()]));
        this.#noteWarm();
      }
    } catch (error) {
      if (isCurrent()) this.#failed(error);
    }
  }

  #due(): boolean {
    const copies = [...this.#copies.values()];
    const now = Date.now();
    for (const copy of copies) if (copy.warm && now - copy.savedAt > REFRESH_INTERVAL) copy.unsaved = true;
    if (!copies.some(({ unsaved }) => unsaved)) return false;
    if (copies.some((copy) => !copy.warm && hasReached(copy))) return true;
    const waiting = copies.flatMap(({ topics }) => [...topics.values()].flatMap((one) => one.waiting));
    const records = waiting.reduce((sum, { upserted, removed }) => sum + upserted.height + removed.height, 0);
    return records >= MOST_RECORDS || performance.now() - this.#lastSave >= SAVE_INTERVAL;
  }

  async #save(copies: readonly Copy[]): Promise<void> {
    const unsaved = copies.filter(({ unsaved }) => unsaved);
    if (unsaved.length === 0) return;
    this.#lastSave = performance.now();
    const at = Date.now();
    const checkpoints = unsaved.map((copy) => {
      const all = [...copy.topics.values()];
      const changes = all.flatMap(({ store, waiting }): [string, Changes][] =>
        waiting.length === 0 ? [] : [[store, joinedChanges(this.#spec(store), waiting.splice(0))]],
      );
      copy.unsaved = false;
      copy.savedAt = at;
      const changelog = Object.fromEntries(all.map(({ store, at }) => [store, at]));
      return {
        partition: copy.partition,
        position: { offsets: {}, changelog, watermark: Number.NaN, at },
        changes: new Map(changes),
      };
    });
    await this.#context.file.commit(checkpoints);
  }

  #noteWarm(): void {
    const { log, showLag, onWarm } = this.#context;
    for (const copy of this.#copies.values()) {
      showLag(copy.partition, lagOf(copy));
      if (copy.warm || copy.unsaved || !hasReached(copy)) continue;
      copy.warm = true;
      const { partition, records, began } = copy;
      log.info("standby copy is up to date", { partition, records, seconds: (performance.now() - began) / 1000 });
    }
    if (this.#awaited.size === 0) return;
    if ([...this.#awaited].some((partition) => this.#copies.get(partition)?.warm !== true)) return;
    this.#awaited.clear();
    onWarm();
  }

  /** Copies are begun again from what the file has of them. */
  #failed(error: unknown): void {
    const { log, onFailed } = this.#context;
    const { code, message } = error as { code?: string; message: string };
    if (code === "STATE_FOLDER") onFailed(error);
    log.warn("reading standby copies failed, trying again", { error: message });
    this.#copies.clear();
    this.#readAnew();
    setTimeout(() => {
      if (!this.#closed) void this.#exclusively(() => this.#beginWanted());
    }, RETRY_PAUSE).unref();
  }

  #spec(store: string) {
    return this.#context.plan.stores.find(({ name }) => name === store)!;
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.catch(() => {}).then(work);
    this.#turn = turn;
    return await turn;
  }
}

const hasReached = ({ topics }: Copy) => [...topics.values()].every(({ at, end }) => at >= end);

const lagOf = ({ topics }: Copy) =>
  [...topics.values()].reduce((sum, { at, latest }) => sum + Math.max(0, latest - at), 0);
