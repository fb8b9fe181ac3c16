import pl from "nodejs-polars";
import type { Program } from "../../operators/program.ts";
import type { BadRow, TaskOutput, TaskResult } from "../../operators/task.ts";
import { WATERMARK_STORE } from "../../operators/watermarks.ts";
import { MemoryStore } from "../../state/memory-store.ts";
import type { StoreSpec } from "../../state/store.ts";
import { AlignedTask } from "../align/aligned-task.ts";
import { placeRows } from "../align/place-rows.ts";

export interface RunnerOptions {
  /** source id -> its topics and how many partitions each has. */
  readonly topics: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** How long a topic is waited for that others have to be read in order with, in ms; for ever where nothing is said. */
  readonly patience?: number;
  /** The wall clock, ms since the epoch; the machine's where nothing is said. */
  readonly now?: () => number;
  /** Opens the state of a task; in memory, one store each, where nothing is said. */
  readonly openStore?: (partition: number, spec: StoreSpec) => MemoryStore;
}

/** Rows of one terminal, made by one task. */
export interface RunnerRows {
  /** One of {@link ProgramRunner.taskNames}. */
  readonly task: string;
  readonly terminal: string;
  readonly frame: pl.DataFrame;
}

export interface RunnerResult {
  readonly rows: readonly RunnerRows[];
  readonly bad: readonly BadRow[];
}

/**
 * Runs a program in memory, all of its partitions in one process: what a notebook, a replay and the test driver do. Rows that are placed anew go
 * from task to task directly, in the order in which a job's would come back from their topic.
 */
export class ProgramRunner {
  /** In a fixed order. */
  readonly taskNames: readonly string[];
  readonly #program: Program;
  readonly #options: RunnerOptions;
  readonly #partitions: number;
  /** Each topic by itself: no state, and rows of no other input matter. */
  readonly #apart: boolean;
  readonly #tasks = new Map<string, AlignedTask>();
  readonly #stores: MemoryStore[] = [];
  readonly #finished = new Set<string>();
  readonly #lastFed = new Map<string, number>();
  readonly #now: () => number;
  readonly #since: number;
  /** Senders that are not waited for, being quiet. */
  readonly #idle = new Set<string>();
  /** How far senders have said to have come. */
  readonly #told = new Map<string, number>();

  constructor(program: Program, options: RunnerOptions) {
    this.#program = program;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#since = this.#now();
    const topics = [...options.topics.values()].flatMap((topics) => [...topics]);
    this.#partitions = Math.max(1, ...topics.map(([, count]) => count));
    this.#apart = program.stores.length === 1 && program.groups.length === 1 && options.topics.size === 1;
    this.taskNames = this.#apart
      ? topics.flatMap(([topic, count]) => Array.from({ length: count }, (_, partition) => `${topic}/${partition}`))
      : Array.from({ length: this.#partitions }, (_, partition) => String(partition));
  }

  /** A batch of records of one partition of a topic, as the source reader gives them. */
  async feed(source: string, topic: string, partition: number, frame: pl.DataFrame): Promise<RunnerResult> {
    const out = new Collected();
    this.#lastFed.set(`${source}/${partition}`, this.#now());
    const task = await this.#task(topic, partition);
    await this.#route(out, this.#name(topic, partition), partition, await task.take(source, topic, frame));
    return out;
  }

  /**
   * Work by the wall clock.
   * @param now ms since the epoch; it never goes back
   * @param isReadUp whether a partition had no more to bring at some time of the last so many ms
   */
  async advance(
    now: number,
    isReadUp: (topic: string, partition: number, waited: number) => boolean = () => true,
  ): Promise<RunnerResult> {
    const out = new Collected();
    for (const [name, task] of this.#tasks) {
      const result = await task.advance(now, this.#options.patience ?? Number.POSITIVE_INFINITY, (topic, waited) =>
        isReadUp(topic, partitionOf(name), waited),
      );
      await this.#route(out, name, partitionOf(name), result);
    }
    await this.#withoutIdle(out, now);
    return out;
  }

  /** Every record of a partition was fed: others no longer wait for it. */
  async finish(source: string, topic: string, partition: number): Promise<RunnerResult> {
    const out = new Collected();
    this.#finished.add(`${source}/${topic}/${partition}`);
    const name = this.#name(topic, partition);
    const task = await this.#task(topic, partition);
    await this.#route(out, name, partition, await task.end(source, topic));
    for (const { id, from } of this.#program.repartitions)
      if (from.every((input) => this.#isFinished(input, partition))) await this.#sendOver(out, id, partition);
    return out;
  }

  #isFinished(source: string, partition: number): boolean {
    const topics = this.#options.topics.get(source);
    if (topics === undefined) return false;
    return [...topics].every(
      ([topic, count]) => partition >= count || this.#finished.has(`${source}/${topic}/${partition}`),
    );
  }

  /** Every record was fed: what waited for others is worked on, as far as it can be. Windows that are open stay open. */
  async end(): Promise<RunnerResult> {
    const out = new Collected();
    for (const [source, topics] of this.#options.topics)
      for (const [topic, count] of topics)
        for (let partition = 0; partition < count; partition++) {
          const task = await this.#task(topic, partition);
          await this.#route(out, this.#name(topic, partition), partition, await task.end(source, topic));
        }
    for (const { id } of this.#program.repartitions)
      for (let sender = 0; sender < this.#partitions; sender++) await this.#sendOver(out, id, sender);
    return out;
  }

  /** The rows of windows that are still open, and of what waits for partners, taken on to where they are placed anew. */
  async openRows(): Promise<RunnerResult> {
    let received = new Map<number, Map<string, pl.DataFrame>>();
    for (let left = this.#program.repartitions.length; ; left--) {
      const out = new Collected();
      const sent: TaskOutput[] = [];
      for (const name of this.taskNames.filter((name) => this.#tasks.has(name))) {
        const { task } = this.#tasks.get(name)!;
        const result = await task.openRows(received.get(partitionOf(name)));
        out.add(name, result, this.#isRepartition);
        sent.push(...result.rows.filter(({ terminal }) => this.#isRepartition(terminal)));
      }
      if (left === 0 || sent.length === 0) return out;
      received = await this.#placed(sent);
    }
  }

  /** Rows that were sent, in the order in which they would be read, those of lower partitions first where that is the same: partition -> repartition -> rows. */
  async #placed(sent: readonly TaskOutput[]): Promise<Map<number, Map<string, pl.DataFrame>>> {
    const placed = new Map<number, Map<string, pl.DataFrame>>();
    for (const { terminal, frame } of sent)
      for (const [target, rows] of placeRows(frame, this.#partitions)) {
        await this.#task("", target);
        const own = placed.get(target) ?? new Map<string, pl.DataFrame>();
        const before = own.get(terminal);
        const both = (before === undefined ? rows : pl.concat([before, rows])).sort(IN_ORDER);
        placed.set(target, own.set(terminal, both));
      }
    return placed;
  }

  /** Counters of operators, summed over tasks. */
  counts(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { task } of this.#tasks.values())
      for (const [name, count] of Object.entries(task.counts())) sums[name] = (sums[name] ?? 0) + count;
    return sums;
  }

  /** The smallest over the tasks that have rows; NaN before the first. */
  get watermark(): number {
    const reached = [...this.#tasks.values()].map(({ task }) => task.watermark).filter((ms) => !Number.isNaN(ms));
    return reached.length === 0 ? Number.NaN : Math.min(...reached);
  }

  /** How far a partition has come with the rows that it sends to others, ms; NaN while nothing is known. */
  reached(repartition: string, partition: number): number {
    return this.#tasks.get(String(partition))?.task.reached(repartition) ?? Number.NaN;
  }

  /** That of one task; NaN before its first row. */
  watermarkOf(name: string): number {
    return this.#tasks.get(name)?.task.watermark ?? Number.NaN;
  }

  /** Rows of state of the program itself; how far event time has come is not counted. */
  get stateRows(): number {
    return this.#rowsOf(({ name }) => name !== WATERMARK_STORE.name);
  }

  /** Windows of event time that are open, sessions among them. */
  get openWindows(): number {
    return this.#rowsOf(({ key }) => key.at(-1) === "window_start");
  }

  #rowsOf(wanted: (spec: StoreSpec) => boolean): number {
    return this.#stores.reduce((sum, { spec, size }) => (wanted(spec) ? sum + size : sum), 0);
  }

  /** How many records of a partition wait for those of other topics. */
  waiting(source: string, topic: string, partition: number): number {
    return this.#tasks.get(this.#name(topic, partition))?.waiting(source, topic) ?? 0;
  }

  /** How often reading went on without a topic that others were to be read in order with. */
  get wentOn(): number {
    return [...this.#tasks.values()].reduce((sum, task) => sum + task.wentOn, 0);
  }

  #name(topic: string, partition: number): string {
    return this.#apart ? `${topic}/${partition}` : String(partition);
  }

  #isRepartition = (terminal: string): boolean => this.#program.repartitions.some(({ id }) => id === terminal);

  async #task(topic: string, partition: number): Promise<AlignedTask> {
    const name = this.#name(topic, partition);
    let task = this.#tasks.get(name);
    if (task === undefined) {
      const { openStore = (_: number, spec: StoreSpec) => new MemoryStore(spec), topics } = this.#options;
      const opened = await this.#program.open((spec) => {
        const store = openStore(partition, spec);
        this.#stores.push(store);
        return store;
      }, this.#now);
      const senders = Array.from({ length: this.#partitions }, (_, sender) => sender);
      task = new AlignedTask(
        this.#program,
        opened,
        new Map<string, readonly (string | number)[]>([
          ...[...topics].map(
            ([source, counts]) =>
              [
                source,
                [...counts]
                  .filter(([own, count]) => partition < count && (!this.#apart || own === topic))
                  .map(([own]) => own),
              ] as const,
          ),
          ...this.#program.repartitions.map(({ id }) => [id, senders] as const),
        ]),
      );
      this.#tasks.set(name, task);
    }
    return task;
  }

  /**
   * Takes a task's rows to where they go: out, or on to other tasks, together with how far the task had come with them. What those make of it follows
   * in the order in which it was made, so that nothing overtakes rows of before.
   */
  #route(out: Collected, name: string, partition: number, result: TaskResult): Promise<void> {
    return this.#workOff(out, [this.#made(name, partition, result)]);
  }

  async #workOff(out: Collected, all: Made[]): Promise<void> {
    for (let made = all.shift(); made !== undefined; made = all.shift()) {
      const { name, partition, result, reached } = made;
      out.add(name, result, this.#isRepartition);
      for (const { id } of this.#program.repartitions) {
        const frames = result.rows.filter(({ terminal }) => terminal === id).map(({ frame }) => frame);
        const further = reached.get(id)!;
        for (const [i, frame] of frames.entries())
          all.push(...(await this.#send(id, partition, frame, i + 1 < frames.length ? Number.NaN : further, false)));
        if (frames.length === 0 && this.#furtherOn(id, partition, further))
          all.push(...(await this.#send(id, partition, undefined, further, false)));
      }
    }
  }

  #made(name: string, partition: number, result: TaskResult): Made {
    const task = this.#tasks.get(name);
    const reached = this.#program.repartitions.map(({ id }) => [id, task?.task.reached(id) ?? Number.NaN] as const);
    return { name, partition, result, reached: new Map(reached) };
  }

  /** Whether those that a task sends rows to have to be told how far it has come. */
  #furtherOn(id: string, sender: number, reached: number): boolean {
    return (
      this.#idle.has(`${id} ${sender}`) || reached > (this.#told.get(`${id} ${sender}`) ?? Number.NEGATIVE_INFINITY)
    );
  }

  async #send(
    id: string,
    sender: number,
    rows: pl.DataFrame | undefined,
    reached: number,
    over: boolean,
  ): Promise<Made[]> {
    if (!Number.isNaN(reached)) this.#told.set(`${id} ${sender}`, reached);
    if (!over) this.#idle.delete(`${id} ${sender}`);
    const placed = rows === undefined ? undefined : placeRows(rows, this.#partitions);
    const all: Made[] = [];
    for (let target = 0; target < this.#partitions; target++) {
      const task = await this.#task("", target);
      const result = await task.receive(id, sender, placed?.get(target), reached, over);
      all.push(this.#made(String(target), target, result));
    }
    return all;
  }

  /** Nobody has to wait for what this task sends. */
  async #sendOver(out: Collected, id: string, sender: number): Promise<void> {
    const reached = this.#tasks.get(String(sender))?.task.reached(id) ?? Number.NaN;
    await this.#workOff(out, await this.#send(id, sender, undefined, reached, true));
  }

  /** Partitions that have been quiet for as long as their topic's `idle` says no longer hold back those that they send rows to. */
  async #withoutIdle(out: Collected, now: number): Promise<void> {
    for (const { id, from } of this.#program.repartitions) {
      const sources = this.#program.sources.filter((source) => from.includes(source.id));
      if (sources.length < from.length || sources.some(({ idle }) => idle === undefined)) continue;
      for (let partition = 0; partition < this.#partitions; partition++) {
        const quiet = sources.every(({ id, idle }) => {
          const name = `${id}/${partition}`;
          return now - (this.#lastFed.get(name) ?? this.#since) >= idle!;
        });
        if (!quiet || this.#idle.has(`${id} ${partition}`)) continue;
        this.#idle.add(`${id} ${partition}`);
        await this.#sendOver(out, id, partition);
      }
    }
  }
}

/** What a task made, and how far it had come then for each repartition. */
interface Made {
  readonly name: string;
  readonly partition: number;
  readonly result: TaskResult;
  readonly reached: ReadonlyMap<string, number>;
}

/** Rows and bad rows of one call, as they are made. */
class Collected implements RunnerResult {
  readonly rows: RunnerRows[] = [];
  readonly bad: BadRow[] = [];

  add(task: string, result: TaskResult, isInner: (terminal: string) => boolean): void {
    for (const { terminal, frame } of result.rows) if (!isInner(terminal)) this.rows.push({ task, terminal, frame });
    this.bad.push(...result.bad);
  }
}

const IN_ORDER = { by: "_order", maintainOrder: true };

const partitionOf = (name: string): number => Number(name.slice(name.lastIndexOf("/") + 1));
