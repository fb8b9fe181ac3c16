import { joinedChanges } from "../../state/changelog/joined-changes.ts";
import type { PartitionCheckpoint, PartitionPosition, StateFile } from "../../state/duckdb/state-file.ts";
import type { Changes } from "../../state/memory-store.ts";
import { bytesPerRow, type StateMemory } from "../../state/state-memory.ts";
import type { SealedTask } from "./commit-transaction.ts";
import type { JobPlan } from "./job-plan.ts";

/** Of the time, so much may go into the state file. */
const SHARE = 0.1;
/** The file is not behind for longer, ms: what it is behind is replayed after a crash. */
const LONGEST = 30_000;

/**
 * What Kafka has committed and the state file has not yet. Replacing rows in the file costs the more the more it holds; where that takes long, several
 * checkpoints are saved as one, so that a checkpoint costs what has changed. A file that is behind is no fault: a restart replays the changelog
 * from there.
 */
export class Unsaved {
  readonly #plan: JobPlan;
  readonly #file: StateFile;
  readonly #memory: StateMemory;
  readonly #partitions = new Map<number, { position: PartitionPosition; changes: Map<string, Changes[]> }>();
  #bytes = 0;
  #saving = false;
  #lasted = 0;
  #savedAt = Number.NEGATIVE_INFINITY;

  constructor(plan: JobPlan, file: StateFile, memory: StateMemory) {
    this.#plan = plan;
    this.#file = file;
    this.#memory = memory;
  }

  /** Whether the file is up to all that was added. */
  get none(): boolean {
    return this.#partitions.size === 0 && !this.#saving;
  }

  /** Whether it is time to save. */
  get due(): boolean {
    if (this.#partitions.size === 0 || this.#saving) return false;
    if (this.#memory.crowded) return true;
    return performance.now() - this.#savedAt >= Math.min(LONGEST, this.#lasted / SHARE);
  }

  /** Notes what a checkpoint changed. */
  add(checkpoint: readonly SealedTask[]): void {
    for (const { task, changes, position } of checkpoint) {
      const known = this.#partitions.get(task.partition)?.changes ?? new Map<string, Changes[]>();
      for (const [store, change] of changes) {
        known.set(store, [...(known.get(store) ?? []), change]);
        const rows = change.upserted.height + change.removed.height;
        this.#bytes += rows * bytesPerRow(this.#spec(store).schema);
      }
      this.#partitions.set(task.partition, { position, changes: known });
    }
    this.#memory.note(this, this.#bytes);
  }

  /** The partition is another's: what was not saved of it is in the changelogs. */
  forget(partition: number): void {
    this.#partitions.delete(partition);
  }

  /** Saves all of it, one call at a time; what is added meanwhile is for the next. */
  async save(): Promise<void> {
    if (this.#partitions.size === 0) return;
    this.#saving = true;
    const checkpoints = [...this.#partitions].map(
      ([partition, { position, changes }]): PartitionCheckpoint => ({
        partition,
        position,
        changes: new Map([...changes].map(([store, all]) => [store, joinedChanges(this.#spec(store), all)])),
      }),
    );
    this.#partitions.clear();
    const bytes = this.#bytes;
    const began = performance.now();
    try {
      await this.#file.commit(checkpoints);
    } finally {
      this.#saving = false;
    }
    this.#savedAt = performance.now();
    this.#lasted = this.#savedAt - began;
    this.#bytes -= bytes;
    this.#memory.note(this, this.#bytes);
  }

  #spec(store: string) {
    return this.#plan.stores.find(({ name }) => name === store)!;
  }
}
