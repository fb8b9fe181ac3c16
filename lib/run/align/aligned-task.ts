import type pl from "nodejs-polars";
import type { InputGroup } from "../../operators/input-group.ts";
import type { Program } from "../../operators/program.ts";
import type { Task, TaskResult } from "../../operators/task.ts";
import { Aligner, type Place, placedOrder, runningTime } from "./aligner.ts";

const NOTHING: TaskResult = { rows: [], bad: [] };

interface Running {
  readonly group: InputGroup;
  /** Undefined where there is only one channel, which need not wait for anything. */
  readonly aligner: Aligner | undefined;
  /** Since when a channel has been waited for, in ms of whoever calls. */
  readonly awaitedSince: Map<string, number>;
  known: number;
  /** Of the only channel. */
  over: boolean;
}

/** Channels of an input of a task: the topics of a source, or the partitions that send to a repartition. */
export type Channels = ReadonlyMap<string /* input */, readonly (string | number)[]>;

/** A task whose inputs are read in one order where they meet: rows wait here until those before them have come. */
export class AlignedTask {
  readonly task: Task;
  readonly #groups: readonly Running[];
  readonly #groupOf: ReadonlyMap<string, Running>;
  /** How often a channel was no longer waited for. */
  wentOn = 0;

  readonly channels: Channels;

  constructor(program: Program, task: Task, channels: Channels) {
    this.task = task;
    this.channels = channels;
    this.#groups = program.groups.map((group) => {
      const all = group.inputs.flatMap((input) =>
        (channels.get(input) ?? []).map((channel) => ({
          name: nameOf(input, channel),
          input,
          reached: group.placed.has(input) ? Number.NaN : task.watermarkOf(input),
        })),
      );
      const aligner = all.length > 1 && ordered(program, group) ? new Aligner(all) : undefined;
      return { group, aligner, awaitedSince: new Map(), known: Number.NaN, over: false };
    });
    this.#groupOf = new Map(this.#groups.flatMap((running) => running.group.inputs.map((input) => [input, running])));
  }

  /** Records of a topic. @param place of them, for {@link held} */
  async take(source: string, topic: string, frame: pl.DataFrame, place = 0): Promise<TaskResult> {
    const running = this.#groupOf.get(source)!;
    const { aligner } = running;
    if (aligner === undefined) return await this.task.process(new Map([[source, frame]]));
    const name = nameOf(source, topic);
    const keys = runningTime(frame, aligner.reached(name));
    aligner.push(name, frame, keys, keys.at(-1) ?? aligner.reached(name), place);
    return await this.#release(running);
  }

  /**
   * Rows that another task sent here, and how far it has come.
   * @param reached it will send no row of a smaller `_order` any more, ms; NaN where nothing is known yet
   * @param over it will send nothing more, or nobody waits for it
   */
  async receive(
    repartition: string,
    sender: number,
    frame: pl.DataFrame | undefined,
    reached: number,
    over: boolean,
    place = 0,
  ): Promise<TaskResult> {
    const running = this.#groupOf.get(repartition)!;
    const { aligner, group } = running;
    if (aligner === undefined) {
      const batches = new Map(frame === undefined ? [] : [[repartition, frame]]);
      running.over = over;
      if (frame === undefined && !(reached > running.known) && !Number.isNaN(running.known)) return NOTHING;
      if (Number.isNaN(reached)) return frame === undefined ? NOTHING : await this.task.process(batches);
      running.known = reached;
      return await this.task.process(batches, new Map([[group.inputs[0]!, reached]]));
    }
    const name = nameOf(repartition, sender);
    const known = Math.max(aligner.reached(name), Number.isNaN(reached) ? Number.NEGATIVE_INFINITY : reached);
    if (frame !== undefined) aligner.push(name, frame, placedOrder(frame), known, place);
    else if (!over || known > aligner.reached(name)) aligner.move(name, known);
    if (over) aligner.end(name);
    return await this.#release(running);
  }

  /** A topic, or a sender, brings nothing more. */
  async end(input: string, channel: string | number): Promise<TaskResult> {
    const running = this.#groupOf.get(input)!;
    running.over = true;
    if (running.aligner === undefined) return NOTHING;
    running.aligner.end(nameOf(input, channel));
    return await this.#release(running);
  }

  /**
   * Work by the wall clock: goes on without topics that have been waited for longer than `patience` ms, until they bring something.
   * Senders of a repartition are waited for without limit.
   * @param isReadUp whether a topic had no more to bring at some time of the wait, which lasts for so many ms; what lies in the log is waited for
   */
  async advance(
    now: number,
    patience: number,
    isReadUp: (topic: string, waited: number) => boolean = () => true,
  ): Promise<TaskResult> {
    const results = [await this.task.advance(now)];
    for (const running of this.#groups) {
      const { aligner, group, awaitedSince } = running;
      if (aligner === undefined || !Number.isFinite(patience)) continue;
      const awaited = aligner.awaited;
      for (const name of awaitedSince.keys()) if (!awaited.includes(name)) awaitedSince.delete(name);
      let given = false;
      for (const name of awaited) {
        if (group.placed.has(inputOf(name))) continue;
        const since = Math.min(awaitedSince.get(name) ?? now, now); // the clock may have been set back
        awaitedSince.set(name, since);
        if (now - since < patience || !isReadUp(channelOf(name), now - since)) continue;
        aligner.end(name);
        awaitedSince.delete(name);
        this.wentOn++;
        given = true;
      }
      if (given) results.push(await this.#release(running));
    }
    return joined(results);
  }

  /** The first record of a topic, or of a sender's, that is not worked on yet; undefined when none waits. */
  held(input: string, channel: string | number): Place | undefined {
    return this.#groupOf.get(input)?.aligner?.held(nameOf(input, channel));
  }

  /** How far a topic or sender has come, ms (NaN while nothing is known), and whether nobody waits for it. */
  reached(input: string, channel: string | number): { reached: number; over: boolean } {
    const { aligner, known, over } = this.#groupOf.get(input)!;
    if (aligner === undefined) return { reached: known, over };
    const name = nameOf(input, channel);
    const reached = aligner.reached(name);
    return { reached: Number.isFinite(reached) ? reached : Number.NaN, over: aligner.isOver(name) };
  }

  /** Whether nothing of an input waits, and nobody waits for it. */
  isOver(input: string): boolean {
    const { channels } = this;
    return (channels.get(input) ?? []).every(
      (channel) => this.held(input, channel) === undefined && this.reached(input, channel).over,
    );
  }

  /** How many rows of a topic wait for others. */
  waiting(input: string, channel: string | number): number {
    return this.#groupOf.get(input)?.aligner?.waiting(nameOf(input, channel)) ?? 0;
  }

  async #release(running: Running): Promise<TaskResult> {
    const { batches, reached } = running.aligner!.release();
    const further = !Number.isNaN(reached) && !(reached <= running.known);
    if (batches.size === 0 && !further) return NOTHING;
    if (further) running.known = reached;
    const known = Number.isNaN(running.known) ? [] : [[running.group.inputs[0]!, running.known] as const];
    return await this.task.process(batches, new Map(known));
  }
}

/** Whether the order between channels matters: where state is kept, or several inputs meet. */
function ordered({ stores, repartitions }: Program, { inputs, placed }: InputGroup): boolean {
  return inputs.length > 1 || placed.size > 0 || repartitions.length > 0 || stores.length > 1;
}

const nameOf = (input: string, channel: string | number): string => `${input}\n${channel}`;
const inputOf = (name: string): string => name.slice(0, name.lastIndexOf("\n"));
const channelOf = (name: string): string => name.slice(name.lastIndexOf("\n") + 1);

/** The rows of several results, in their order. */
export function joined(results: readonly TaskResult[]): TaskResult {
  if (results.length === 1) return results[0]!;
  return { rows: results.flatMap(({ rows }) => rows), bad: results.flatMap(({ bad }) => bad) };
}
