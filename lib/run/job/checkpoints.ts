import type { GroupMember } from "../../log/index.ts";
import { type Codecs, commit, type SealedTask, seal } from "./commit-transaction.ts";
import type { PartitionTask } from "./partition-task.ts";
import { Unsaved } from "./unsaved.ts";
import { WorkedOff } from "./worked-off.ts";
import type { WorkerContext } from "./worker.ts";

export interface CheckpointsOptions {
  /** Whose generation of the group commits. */
  readonly member: () => GroupMember;
  /** Throws where partitions are not this worker's any more; asked once no rebalance can come in between. */
  readonly check: () => void;
  /** After each that succeeds. @param anything whether there was anything to commit */
  readonly onMade: (anything: boolean) => void;
  /** One that went on beside the work has ended; where it has failed, {@link Checkpoints.throwFailure} throws that. */
  readonly onEnded: () => void;
  /** The state file could not be written. */
  readonly onSaveFailed: (error: unknown) => void;
}

/** So long work goes on beside one; then that is waited for, so that after a failure there is not much to do again. ms. */
const LONGEST_BESIDE = 5000;

/**
 * The checkpoints of a worker, one after the other: what its tasks did is sealed, committed to Kafka, and at some time saved in the state file.
 * Where nothing that a task does next belongs to the transaction, the tasks go on as soon as it is sealed: the answers of the broker are not
 * waited for.
 */
export class Checkpoints {
  readonly #context: WorkerContext;
  readonly #options: CheckpointsOptions;
  readonly #codecs: Codecs = new Map();
  readonly #unsaved: Unsaved;
  readonly #workedOff: WorkedOff;
  /** The Kafka part of one that was begun, under way; never rejects. */
  #committing: Promise<void> = Promise.resolve();
  #underWay = false;
  #failure: { readonly error: unknown } | undefined;
  /** The DuckDB part, under way. */
  #saving: Promise<void> = Promise.resolve();
  #began = performance.now();
  #committedAt = performance.now();
  #rowsIn = 0;
  #rowsOut = 0;

  constructor(context: WorkerContext, options: CheckpointsOptions) {
    this.#context = context;
    this.#options = options;
    this.#unsaved = new Unsaved(context.plan, context.file, context.memory);
    this.#workedOff = new WorkedOff(context);
  }

  /** How long until the next one is due, ms: so long after the last one began, and not while that is under way. */
  dueIn(interval: number): number {
    return this.#began + (this.#underWay ? Math.max(interval, LONGEST_BESIDE) : interval) - performance.now();
  }

  /** Source records processed and records written, as far as they are committed, and when that was, by `performance.now()`. */
  committed(): { readonly rowsIn: number; readonly rowsOut: number; readonly at: number } {
    return { rowsIn: this.#rowsIn, rowsOut: this.#rowsOut, at: this.#committedAt };
  }

  /** Makes a checkpoint of what these tasks did, and waits for its end in Kafka. */
  async make(tasks: Iterable<PartitionTask>): Promise<void> {
    await this.begin(tasks);
    await this.settled();
  }

  /** Seals what these tasks did; the rest goes on beside them where it can. @throws what the one before has failed with */
  async begin(tasks: Iterable<PartitionTask>): Promise<void> {
    await this.settled();
    if (this.#context.memory.crowded) await this.save(); // so that rows may leave memory
    this.#began = performance.now();
    const dirty = [...tasks].filter((task) => task.dirty);
    if (dirty.length === 0) {
      this.#options.onMade(false);
      return this.#saveIfDue();
    }
    const sealed = await seal(this.#context, this.#codecs, dirty, this.#unsaved.none);
    const committing = this.#commit(sealed);
    if (!this.#isBeside) return await committing;
    this.#underWay = true;
    this.#committing = committing
      .catch((error) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#underWay = false;
        this.#options.onEnded();
      });
    this.#context.io.holdUntil(this.#committing);
  }

  /** Waits for the one under way. @throws what it has failed with */
  async settled(): Promise<void> {
    await this.#committing;
    this.throwFailure();
  }

  /** Throws what one that was begun has failed with. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for the one under way, whatever comes of it: everything goes back to the one before where it fails. */
  async abandon(): Promise<void> {
    await this.#committing;
    this.#failure = undefined;
  }

  /** Brings the state file up to the last one; none is under way. */
  async save(): Promise<void> {
    await this.#saving;
    await this.#unsaved.save();
  }

  /** The partition is another worker's; none of its checkpoints is under way. */
  forget(partition: number): void {
    this.#unsaved.forget(partition);
  }

  async end(): Promise<void> {
    await this.#workedOff.end();
  }

  /**
   * Whether tasks may go on while the broker answers. With exactly-once their next rows would wait for that anyway, as would what tasks send each
   * other; and what they compute meanwhile only keeps the answers waiting.
   */
  get #isBeside(): boolean {
    const { plan, settings } = this.#context;
    return settings.guarantee === "at-least-once" && !plan.ordered && plan.files.size === 0;
  }

  async #commit(sealed: readonly SealedTask[]): Promise<void> {
    const { metrics } = this.#context;
    await commit(this.#context, this.#options.member(), sealed, this.#options.check);
    this.#committedAt = performance.now();
    metrics.checkpointSeconds.observe((this.#committedAt - this.#began) / 1000);
    this.#options.onMade(true);
    this.#workedOff.committed(sealed);
    for (const one of sealed) this.#count(one);
    this.#unsaved.add(sealed);
    this.#saveIfDue();
  }

  /** Brings the state file up to the last checkpoint, beside the work. */
  #saveIfDue(): void {
    if (!this.#unsaved.due) return;
    const began = performance.now();
    this.#saving = this.#unsaved.save();
    this.#saving.then(
      () => this.#context.metrics.saveSeconds.observe((performance.now() - began) / 1000),
      (error) => this.#options.onSaveFailed(error),
    );
  }

  /** Counts what a checkpoint made final. */
  #count({ task, counts: { rowsIn, rowsOut, bad } }: SealedTask): void {
    const { metrics } = this.#context;
    this.#rowsIn += rowsIn;
    this.#rowsOut += rowsOut;
    metrics.rowsIn.inc(rowsIn);
    metrics.rowsOut.inc(rowsOut);
    metrics.deadLetters.inc(bad);
    const partition = String(task.partition);
    metrics.stateRows.set({ partition }, task.stores.rows);
    for (const [name, count] of Object.entries(task.task.counts())) {
      if (name === "late") metrics.late.set({ partition }, count);
      else metrics.noted.set({ partition, name }, count);
    }
  }
}
