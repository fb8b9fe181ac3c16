import { MillraceError } from "../../error.ts";
import {
  type Cluster,
  endAbandonedTransaction,
  type FetchedPartition,
  type Fetcher,
  GroupMember,
  groupInstances,
  PartitionWatch,
  ProducerFenced,
  type TopicPartition,
} from "../../log/index.ts";
import { settledWithin } from "../../settled-within.ts";
import type { StateFile } from "../../state/duckdb/state-file.ts";
import type { StateMemory } from "../../state/state-memory.ts";
import { Checkpoints } from "./checkpoints.ts";
import { Failures, PATIENCE, passes } from "./failures.ts";
import { HeldBackWatch } from "./held-back.ts";
import { jobFetcher } from "./job-fetcher.ts";
import type { JobIo } from "./job-io.ts";
import type { JobPlan } from "./job-plan.ts";
import { type JobTopics, partitionsChanged } from "./job-topics.ts";
import type { JobLog } from "./log.ts";
import type { JobMetrics } from "./metrics.ts";
import { type Opening, Openings } from "./openings.ts";
import { OrderedInputs } from "./ordered-inputs.ts";
import type { PartitionTask } from "./partition-task.ts";
import { advance, processRecords } from "./process-records.ts";
import { Rests } from "./rests.ts";
import type { JobSettings } from "./settings.ts";
import { SourceEnds } from "./source-ends.ts";
import { Standbys } from "./standbys.ts";
import { isBeforeWarmEnd, warmEnds } from "./warm.ts";

export interface WorkerContext {
  readonly cluster: Cluster;
  readonly plan: JobPlan;
  readonly topics: JobTopics;
  readonly settings: JobSettings;
  readonly file: StateFile;
  readonly memory: StateMemory;
  readonly io: JobIo;
  readonly metrics: JobMetrics;
  readonly log: JobLog;
  /** `group.instance.id` */
  readonly instanceId: string;
}

/** What a worker did. Times are milliseconds since the epoch. */
export interface WorkerSpan {
  readonly rowsIn: number;
  readonly rowsOut: number;
  /** Undefined where nothing was fetched. */
  readonly firstFetch: number | undefined;
  readonly lastCommit: number;
}

/** Work for the loop, between batches. */
type Command = () => Promise<void>;

/** Records of a partition that wait for others before it is not fetched for a while. */
const MOST_WAITING = 100_000;
/** How long the end waits for openings that were given up, and for a checkpoint under way, ms. */
const CLOSING = 10_000;
/** How often the wall clock is looked at, ms. */
const TICK = 250;
/** How often a running job looks whether its sources have more partitions, ms. */
const PARTITION_COUNTS_MAX_AGE = 10_000;

/**
 * One process of a job: fetches its partitions, runs the tasks, writes, and checkpoints. Everything that touches tasks happens in one loop, one thing
 * at a time: batches, checkpoints, partitions coming and going. Only the broker's answers to a checkpoint may be waited for beside it ({@link Checkpoints}).
 *
 * A checkpoint is one Kafka transaction (changelogs, group offsets, dead letters; with exactly-once the outputs), then one DuckDB transaction.
 * A process that ends between the two finds its file behind the group's offsets and replays the changelog. After any error
 * of the transaction everything goes back to the last checkpoint: what the group's offsets say.
 */
export class Worker {
  readonly #context: WorkerContext;
  readonly #tasks = new Map<number, PartitionTask>();
  readonly #openings: Openings;
  readonly #commands: Command[] = [];
  /** Undefined where none are kept. */
  readonly #standbys: Standbys | undefined;
  #member: GroupMember;
  /** The workers of the job, as of the last rebalance. */
  #peers: ReadonlySet<string> = new Set();
  #fetcher: Fetcher;
  #polling: Promise<FetchedPartition[]> | undefined;
  readonly #rests: Rests;
  /** Something else is to be done than to wait for records. */
  #woken = false;
  #endWait: (() => void) | undefined;
  #stopping = false;
  #leaving = false;
  /** Partitions have been lost and are still among the tasks: a commit would pass, in the generation joined since. */
  #losing = false;
  #joined = false;
  #fatal: unknown;
  readonly #checkpoints: Checkpoints;
  readonly #failures = new Failures();
  /** With `--until end`. */
  #ends: SourceEnds | undefined;
  #lastTick = 0;
  #firstFetch = Number.NaN;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#checkpoints = new Checkpoints(context, {
      member: () => this.#member,
      check: () => {
        if (this.#losing) throw partitionsLost();
      },
      onMade: (anything) => {
        // without anything to do it is good once all is opened anew
        if (anything || (this.#openings.size === 0 && this.#joined)) this.#failures.end();
      },
      onEnded: () => this.#wake(),
      onSaveFailed: (error) => this.#fail(error),
    });
    this.#fetcher = jobFetcher(this.#context);
    const { settings, topics, cluster, instanceId, plan, metrics } = context;
    this.#rests = new Rests(settings.guarantee === "exactly-once");
    const standbys =
      settings.standbyReplicas === 0 || plan.stores.length === 0
        ? undefined
        : new Standbys({
            ...context,
            onWarm: () => this.#member.rebalance(),
            onFailed: (error) => this.#fail(error),
            showLag: (partition, records) => metrics.showStandbyLag(partition, records),
          });
    this.#standbys = standbys;
    this.#openings = new Openings(context, standbys, {
      opened: (task, opening) => void this.#inLoop(() => this.#opened(task, opening)),
      failed: (error, { partition }) => {
        if (passes(error)) {
          context.log.warn("opening a partition failed, trying again", { partition, error: (error as Error).message });
          this.#failures.note(error);
          return true;
        }
        this.#fail(error);
        return false;
      },
    });
    this.#member = new GroupMember(cluster, {
      groupId: settings.name,
      topics: topics.sources,
      instanceId,
      sessionTimeout: settings.sessionTimeout,
      onAssigned: (partitions) => {
        void this.#inLoop(async () => this.#assigned(partitions));
        void this.#endAbandoned();
      },
      onRevoked: (partitions) => (this.#leaving ? undefined : this.#inLoop(() => this.#revoked(partitions))),
      // not awaited: the member tells it while it joins anew, and a checkpoint in the loop may be waiting for that
      onLost: (partitions) => {
        if (this.#leaving) return;
        this.#losing = true;
        void this.#inLoop(() => this.#lost(partitions));
      },
      onFailed: (error) => this.#fail(error),
      ...(standbys && {
        standbys: {
          replicas: settings.standbyReplicas,
          warm: () => standbys.warm(),
          onGiven: (partitions: readonly number[], next: readonly number[]) => {
            if (!this.#leaving) void this.#inLoop(() => standbys.follow(partitions, next, (one) => this.#owns(one)));
          },
        },
      }),
    });
  }

  /** Source records processed and records written, as far as they are committed, and when. */
  span(): WorkerSpan {
    const at = (now: number) => performance.timeOrigin + now;
    const { rowsIn, rowsOut, at: lastCommit } = this.#checkpoints.committed();
    return {
      rowsIn,
      rowsOut,
      firstFetch: Number.isNaN(this.#firstFetch) ? undefined : at(this.#firstFetch),
      lastCommit: at(lastCommit),
    };
  }

  /** Why the worker does no work: it goes on failing, has not joined, or restores; undefined when it works. */
  unready(): Readonly<Record<string, unknown>> | undefined {
    const failing = this.#failures.report();
    if (failing !== undefined) return failing;
    if (!this.#joined) return { reason: "joining the group" };
    if (this.#openings.size === 0) return undefined;
    return { reason: "restoring", restoring: this.#openings.progress() };
  }

  /** Sets what time alone changes, for whoever asks for metrics now. */
  measure(): void {
    const { watermarkDelay } = this.#context.metrics;
    for (const { partition, task } of this.#tasks.values())
      if (!Number.isNaN(task.watermark))
        watermarkDelay.set({ partition: String(partition) }, (Date.now() - task.watermark) / 1000);
  }

  /** Checkpoints and ends {@link run}. */
  stop(): void {
    this.#stopping = true;
    this.#wake();
  }

  /** Works until stopped or, with `untilEnd`, until the group has reached the ends that were there at the start. */
  async run(): Promise<void> {
    const { settings, topics, cluster } = this.#context;
    if (settings.untilEnd) this.#ends = await SourceEnds.now(this.#context);
    const watch = new PartitionWatch(
      cluster,
      topics.sources,
      (topic, before, now) => this.#partitionsChanged(topic, before, now),
      PARTITION_COUNTS_MAX_AGE,
    );
    this.#member.join().then(
      () =>
        void this.#inLoop(async () => {
          this.#joined = true;
          for (const partition of (await this.#context.file.positions()).keys())
            if (!this.#owns(partition)) await this.#context.file.setAside(partition); // of an earlier run
        }),
      (error) => this.#fail(error),
    );
    const heldBack = new HeldBackWatch(() => this.#fetcher, this.#context.metrics, this.#context.log);
    try {
      await this.#loop();
    } finally {
      watch.close();
      heldBack.close();
      await this.#end();
      await this.#checkpoints.end();
    }
  }

  async #loop(): Promise<void> {
    for (;;) {
      try {
        for (let command = this.#commands.shift(); command !== undefined; command = this.#commands.shift())
          await command();
        if (this.#fatal !== undefined) throw this.#fatal;
        this.#checkpoints.throwFailure();
        if (this.#stopping) return await this.#checkpoint();
        if (this.#due()) await this.#checkpoints.begin(this.#tasks.values());
        if (await this.#reachedEnds()) return;
        await this.#step();
        await this.#tick();
        for (const task of this.#tasks.values())
          if (task.warming && !isBeforeWarmEnd(task.offsets, task.partition, this.#context.settings.warm))
            await this.#warmed(task);
      } catch (error) {
        if (error === this.#fatal || !passes(error)) throw error;
        await this.#rollback(error);
      }
    }
  }

  /** One poll's worth of work, or a wake-up, or the time of the next checkpoint. */
  async #step(): Promise<void> {
    const untilCheckpoint = this.#checkpoints.dueIn(this.#context.settings.commitInterval);
    const rest = this.#polling === undefined ? this.#rests.left(untilCheckpoint) : 0;
    const untilDue = Math.min(TICK, Math.max(1, rest > 1 ? rest : untilCheckpoint));
    if (rest <= 1 && this.#tasks.size > 0) this.#polling ??= this.#fetcher.poll();
    const fetched = await this.#fetchedWithin(untilDue);
    if (fetched === undefined) return;
    this.#polling = undefined;
    const began = performance.now();
    await this.#process(fetched);
    this.#rests.worked(fetched, began);
    this.#pace();
  }

  /**
   * What was fetched; undefined when woken, or after so many ms. By a callback and not by a race with a promise of waking: that one would outlive many races,
   * and keep what won each of them, all that was fetched, until it is settled itself.
   */
  #fetchedWithin(ms: number): Promise<readonly FetchedPartition[] | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly FetchedPartition[] | undefined>();
    let timer: NodeJS.Timeout | undefined;
    const settled =
      <T>(settle: (value: T) => void) =>
      (value: T) => {
        if (timer === undefined) return; // what is fetched after the wait is for the next one
        clearTimeout(timer);
        timer = undefined;
        this.#endWait = undefined;
        settle(value);
      };
    const end = settled(resolve);
    timer = setTimeout(() => end(undefined), ms);
    this.#endWait = () => end(undefined);
    if (this.#woken) end(undefined);
    else this.#polling?.then(end, settled(reject));
    this.#woken = false;
    return promise;
  }

  #wake(): void {
    if (this.#endWait === undefined) this.#woken = true;
    else this.#endWait();
  }

  async #process(fetched: readonly FetchedPartition[]): Promise<void> {
    for (const partition of fetched) {
      await this.#fetcher.hear();
      const task = this.#tasks.get(partition.partition);
      if (task === undefined || !task.offsets.has(partition.topic)) continue; // revoked meanwhile
      if (partition.error !== undefined) throw partition.error;
      if (Number.isNaN(this.#firstFetch)) this.#firstFetch = performance.now();
      await processRecords(this.#context, task, partition);
    }
  }

  /** Work that the wall clock is the cause of. */
  async #tick(): Promise<void> {
    if (performance.now() - this.#lastTick < TICK) return;
    this.#lastTick = performance.now();
    const now = Date.now();
    for (const task of this.#tasks.values())
      await advance(this.#context, task, now, (topic, waited) =>
        this.#fetcher.isReadUp(topic, task.partition, performance.now() - waited),
      );
  }

  /** What is far ahead of what it is read in one order with is not fetched for a while; to be called when nothing that was polled is to be worked on. */
  #pace(): void {
    for (const task of this.#tasks.values()) {
      for (const { topic, waiting, next } of task.inputs?.waiting() ?? []) {
        this.#context.metrics.waiting.set({ topic, partition: String(task.partition) }, waiting);
        // not paused: what was fetched ahead would take the room of what it waits for
        if (waiting > MOST_WAITING && !task.ahead.has(topic)) {
          task.ahead.add(topic);
          this.#fetcher.unassign(topic, task.partition);
        } else if (waiting <= MOST_WAITING / 2 && task.ahead.delete(topic)) {
          this.#fetcher.assign(topic, task.partition, next);
        }
      }
    }
  }

  #due(): boolean {
    if (this.#context.memory.crowded && [...this.#tasks.values()].some((task) => task.dirty)) return true; // rows may leave memory once they are saved
    if ([...this.#tasks.values()].some(({ files }) => files?.many)) return true;
    return this.#checkpoints.dueIn(this.#context.settings.commitInterval - this.#rests.early) <= 0;
  }

  /** Offsets, state and outputs advance together. */
  async #checkpoint(): Promise<void> {
    await this.#checkpoints.make(this.#tasks.values());
  }

  // Partitions come and go.

  #assigned(partitions: readonly TopicPartition[]): void {
    for (const [partition, sources] of Map.groupBy(partitions, (one) => one.partition))
      this.#openings.open(partition, sources);
  }

  async #opened(task: PartitionTask, opening: Opening): Promise<void> {
    if (!this.#openings.isWanted(opening)) return task.stores.close();
    await this.#settlePoll();
    if (this.#context.plan.ordered)
      await this.#openInputs(task).catch((error) => {
        task.stores.close();
        this.#openings.again(opening);
        throw error; // the transaction has what it may have sent
      });
    const { partition } = task;
    const { log, metrics } = this.#context;
    this.#openings.done(opening);
    this.#ends?.opened();
    this.#tasks.set(partition, task);
    metrics.stateRows.set({ partition: String(partition) }, task.stores.rows); // nothing may come for long
    for (const [topic, offset] of task.offsets) this.#fetcher.assign(topic, partition, offset);
    log.info("partition opened", { partition, rows: task.stores.rows, from: [...task.offsets.values()].join(",") });
  }

  /** Inputs that are read in one order: first as far as an earlier reading went, as if they ended there, since what it had seen it had seen all of. */
  async #openInputs(task: PartitionTask): Promise<void> {
    const ends = warmEnds(task.offsets, task.partition, this.#context.settings.warm);
    task.warming = ends !== undefined;
    task.ahead.clear();
    task.inputs = await OrderedInputs.open(this.#context, task, ends ?? this.#ends?.offsets);
  }

  /** Goes on beyond what an earlier reading had seen. */
  async #warmed(task: PartitionTask): Promise<void> {
    const { partition, offsets } = task;
    await task.inputs!.settle();
    await this.#openInputs(task);
    task.dirty = true;
    for (const [topic, offset] of offsets) this.#fetcher.assign(topic, partition, offset);
    this.#context.log.info("state is as it was, rows are written from here on", {
      partition,
      offsets: [...offsets].map(([topic, offset]) => `${topic}:${offset}`).join(","),
    });
  }

  #partitionsChanged(topic: string, before: number, now: number): void {
    const { plan, log } = this.#context;
    if (plan.stores.length > 0) this.#fail(partitionsChanged(before, now, `topic ${topic}`));
    else {
      log.info("the source has other partitions", { topic, before, now });
      this.#member.rebalance();
    }
  }

  /** Works off what was polled already, so that nothing of before an assignment is taken for something after it. */
  async #settlePoll(): Promise<void> {
    const polling = this.#polling;
    if (polling === undefined) return;
    this.#polling = undefined;
    await this.#process(await polling);
  }

  async #revoked(partitions: readonly TopicPartition[]): Promise<void> {
    const gone = new Set(partitions.map(({ partition }) => partition));
    let failure: unknown;
    try {
      await this.#checkpoint();
      await this.#checkpoints.save();
    } catch (error) {
      if (!passes(error)) throw error;
      failure = error; // their next owner starts from the last checkpoint, as we do with what stays
    }
    for (const partition of gone) {
      this.#forget(partition);
      const { file } = this.#context;
      // with standbys it may be one from now on
      await (this.#standbys === undefined ? file.drop(partition) : file.setAside(partition));
    }
    if (failure !== undefined) await this.#rollback(failure);
    this.#context.log.info("partitions revoked", { partitions: [...gone].join(",") });
  }

  /** They are another worker's already: what was done for them since the last checkpoint cannot be committed, nor what shares its transaction. */
  async #lost(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#checkpoints.abandon();
    for (const partition of new Set(partitions.map(({ partition }) => partition))) {
      this.#forget(partition);
      await this.#context.file.setAside(partition);
    }
    this.#losing = false;
    await this.#rollback(partitionsLost());
  }

  /**
   * Ends the transactions of workers that have gone: until they time out, readers of outputs and those who restore from changelogs would wait for
   * them. What they held cannot be committed any more, since the group has moved on.
   */
  async #endAbandoned(): Promise<void> {
    const { cluster, settings, log } = this.#context;
    try {
      const before = this.#peers;
      this.#peers = await groupInstances(cluster, settings.name);
      for (const peer of before) {
        if (this.#peers.has(peer)) continue;
        if (await endAbandonedTransaction(cluster, peer))
          log.info("ended the transaction of a worker that is gone", { worker: peer });
      }
    } catch (error) {
      if (!this.#leaving) log.warn("a transaction may be open until it times out", { error: (error as Error).message });
    }
  }

  #owns(partition: number): boolean {
    return this.#tasks.has(partition) || this.#openings.has(partition);
  }

  #forget(partition: number): void {
    const { metrics, topics } = this.#context;
    this.#openings.abort(partition);
    this.#tasks.get(partition)?.stores.close();
    this.#tasks.delete(partition);
    this.#checkpoints.forget(partition);
    metrics.forget(partition);
    for (const topic of topics.sources) this.#fetcher.unassign(topic, partition);
  }

  // When something goes wrong.

  /** Back to the last checkpoint: nothing of the open transaction counts, every partition is opened anew at the group's offsets. */
  async #rollback(error: unknown): Promise<void> {
    const { log, metrics } = this.#context;
    if (this.#failures.note(error) > PATIENCE) throw error;
    log.warn("back to the last checkpoint", { error: (error as Error).message });
    metrics.rollbacks.inc();
    await this.#checkpoints.abandon();
    const abandoned = this.#fetcher;
    this.#polling?.catch(() => {});
    this.#polling = undefined;
    this.#fetcher = jobFetcher(this.#context);
    await abandoned.close();
    const opened = [...this.#tasks.values()].map((task) => ({
      partition: task.partition,
      sources: [...task.offsets.keys()].map((topic) => ({ topic, partition: task.partition })),
    }));
    for (const { stores } of this.#tasks.values()) stores.close();
    this.#tasks.clear();
    await this.#checkpoints.save().catch(() => {});
    await this.#reinitialise();
    for (const { partition, sources } of opened) this.#openings.open(partition, sources);
  }

  /** A new epoch of the producer. Who was taken for dead was fenced by others; only a process that has our place in the group has our place. */
  async #reinitialise(): Promise<void> {
    let anew = false;
    for (;;) {
      try {
        return await this.#context.io.reinitialise(anew);
      } catch (error) {
        if (error instanceof ProducerFenced) {
          const replaced = await this.#member.isReplaced().catch(() => undefined);
          if (replaced === true) throw error;
          anew = replaced === false;
        } else if (!passes(error)) throw error;
        if (this.#failures.note(error) > PATIENCE) throw error;
        await new Promise((resolve) => setTimeout(resolve, 500));
      }
    }
  }

  #fail(error: unknown): void {
    this.#fatal ??= error;
    this.#wake();
  }

  /** Runs work in the loop, between batches; settles with it. */
  #inLoop(work: Command): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#commands.push(() =>
      work().then(resolve, (error) => {
        reject(error);
        throw error;
      }),
    );
    promise.catch(() => {});
    this.#wake();
    return promise;
  }

  // The end.

  async #reachedEnds(): Promise<boolean> {
    if (this.#ends === undefined || !this.#joined || this.#openings.size > 0) return false;
    return await this.#ends.reached(
      [...this.#tasks.values()],
      () => this.#checkpoint(),
      () => this.#checkpoints.settled(),
    );
  }

  async #end(): Promise<void> {
    const { io, log } = this.#context;
    this.#leaving = true;
    this.#openings.abortAll();
    for (const command of this.#commands.splice(0)) await command().catch(() => {});
    await this.#fetcher.close();
    await this.#standbys?.close();
    // a file that is closed under a query takes the process with it
    await settledWithin(CLOSING, this.#openings.settled());
    await settledWithin(CLOSING, this.#checkpoints.abandon());
    await this.#checkpoints
      .save()
      .catch((error) => log.warn("the last checkpoint is not in the state file", { error: (error as Error).message }));
    await this.#member.leave().catch(() => {}); // others take over at once, also from a static member
    await io.close();
  }
}

const partitionsLost = () =>
  new MillraceError({ code: "PARTITIONS_LOST", what: "The group has given partitions of this worker to others." });
