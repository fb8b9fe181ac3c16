import type { TopicPartition } from "../../log/index.ts";
import { openPartition } from "./open-partition.ts";
import type { PartitionTask } from "./partition-task.ts";
import type { Standbys } from "./standbys.ts";
import type { WorkerContext } from "./worker.ts";

/** A partition on its way to being worked on. */
export interface Opening {
  readonly partition: number;
  readonly sources: readonly TopicPartition[];
  readonly abort: AbortController;
  share: number;
  recordsPerSecond: number;
  secondsLeft: number;
}

export interface OpeningEvents {
  /** To be taken over, if {@link Openings.isWanted} still says so by then. */
  opened(task: PartitionTask, opening: Opening): void;
  /** @returns whether to try again in a while */
  failed(error: unknown, opening: Opening): boolean;
}

const AT_ONCE = 4;
const RETRY_PAUSE = 500;

/** Opens partitions beside the loop, which goes on with the others: a few at a time, again after passing troubles, until they are not wanted any more. */
export class Openings {
  readonly #context: WorkerContext;
  readonly #standbys: Standbys | undefined;
  readonly #events: OpeningEvents;
  readonly #wanted = new Map<number, Opening>();
  readonly #turns: (() => void)[] = [];
  #busy = 0;
  /** Those that use the state file, also when they are not wanted any more. */
  readonly #underWay = new Set<Promise<PartitionTask>>();

  constructor(context: WorkerContext, standbys: Standbys | undefined, events: OpeningEvents) {
    this.#context = context;
    this.#standbys = standbys;
    this.#events = events;
  }

  /** How many are not done yet. */
  get size(): number {
    return this.#wanted.size;
  }

  has(partition: number): boolean {
    return this.#wanted.has(partition);
  }

  isWanted(opening: Opening): boolean {
    return this.#wanted.get(opening.partition) === opening;
  }

  /** Opens a partition, anew where that is under way. */
  open(partition: number, sources: readonly TopicPartition[]): void {
    this.abort(partition);
    const abort = new AbortController();
    const opening: Opening = { partition, sources, abort, share: 0, recordsPerSecond: 0, secondsLeft: Number.NaN };
    this.#wanted.set(partition, opening);
    const opened = this.#work(opening);
    this.#underWay.add(opened);
    opened.finally(() => this.#underWay.delete(opened)).catch(() => {});
    opened.then(
      (task) => this.#events.opened(task, opening),
      (error) => {
        if (this.isWanted(opening) && this.#events.failed(error, opening)) this.again(opening);
      },
    );
  }

  /** In a while, unless it is not wanted any more by then. */
  again(opening: Opening): void {
    setTimeout(() => {
      if (this.isWanted(opening)) this.open(opening.partition, opening.sources);
    }, RETRY_PAUSE);
  }

  /** Its task has been taken over. */
  done({ partition }: Opening): void {
    const { metrics } = this.#context;
    const label = { partition: String(partition) };
    this.#wanted.delete(partition);
    metrics.restoreShare.set(label, 1);
    metrics.restoreRate.remove(label);
    metrics.restoreSecondsLeft.set(label, 0);
  }

  /** It is another worker's. */
  abort(partition: number): void {
    this.#wanted.get(partition)?.abort.abort();
    this.#wanted.delete(partition);
  }

  abortAll(): void {
    for (const partition of [...this.#wanted.keys()]) this.abort(partition);
  }

  /** Settles once none uses the state file. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  /** How far each is, for people. */
  progress(): readonly Readonly<Record<string, unknown>>[] {
    return [...this.#wanted.values()].map(({ partition, share, recordsPerSecond, secondsLeft }) => ({
      partition,
      percent: Math.floor(share * 100),
      recordsPerSecond: Math.round(recordsPerSecond),
      secondsLeft: Number.isNaN(secondsLeft) ? null : Math.ceil(secondsLeft),
    }));
  }

  async #work(opening: Opening): Promise<PartitionTask> {
    const { metrics } = this.#context;
    const { partition, sources, abort } = opening;
    const label = { partition: String(partition) };
    while (this.#busy >= AT_ONCE) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#busy++;
    const began = performance.now();
    try {
      abort.signal.throwIfAborted();
      await this.#standbys?.release(partition);
      const task = await openPartition(this.#context, partition, sources, {
        signal: abort.signal,
        progress: ({ share, recordsPerSecond, secondsLeft }) => {
          Object.assign(opening, { share, recordsPerSecond, secondsLeft });
          metrics.restoreShare.set(label, share);
          metrics.restoreRate.set(label, recordsPerSecond);
          metrics.restoreSecondsLeft.set(label, Number.isNaN(secondsLeft) ? -1 : secondsLeft);
        },
      });
      metrics.restoreSeconds.set(label, (performance.now() - began) / 1000);
      return task;
    } finally {
      this.#busy--;
      this.#turns.shift()?.();
    }
  }
}
