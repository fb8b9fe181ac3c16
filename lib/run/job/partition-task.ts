import type { Task } from "../../operators/task.ts";
import type { PartitionPosition } from "../../state/duckdb/state-file.ts";
import type { Changes } from "../../state/memory-store.ts";
import type { PartitionStores } from "../../state/partition-stores.ts";
import type { OrderedInputs } from "./ordered-inputs.ts";
import type { PartitionFiles } from "./partition-files.ts";

/** What a task did since the last checkpoint, to be taken back with it. */
export interface TaskCounts {
  readonly rowsIn: number;
  readonly rowsOut: number;
  readonly bad: number;
}

/** A program at work on one partition number of its sources. */
export class PartitionTask {
  readonly partition: number;
  readonly task: Task;
  readonly stores: PartitionStores;
  /** Where inputs are read in one order. */
  inputs: OrderedInputs | undefined;
  /** Where rows go to files. */
  files: PartitionFiles | undefined;
  /** Its inputs are read up to where an earlier reading ended: nothing is written for them. */
  warming = false;
  /** Source topics that are so far ahead of others that they are not fetched for a while. */
  readonly ahead = new Set<string>();
  /** Source topic -> the next offset to process. */
  readonly offsets: Map<string, number>;
  readonly #changelog: Record<string, number>;
  /** Something happened since the last checkpoint (or never was one). */
  dirty = true;
  rowsIn = 0;
  rowsOut = 0;
  bad = 0;

  constructor(
    partition: number,
    task: Task,
    stores: PartitionStores,
    offsets: Map<string, number>,
    changelog: Record<string, number>,
  ) {
    this.partition = partition;
    this.task = task;
    this.stores = stores;
    this.offsets = offsets;
    this.#changelog = changelog;
  }

  position(): PartitionPosition {
    return {
      offsets: Object.fromEntries(this.offsets),
      changelog: { ...this.#changelog },
      watermark: this.task.watermark,
      at: Date.now(),
    };
  }

  /** Notes that the changelog of a store is contained up to this offset once the next checkpoint is done. */
  contains(store: string, offset: number): void {
    this.#changelog[store] = Math.max(this.#changelog[store] ?? 0, offset);
  }

  /** What changed since the last checkpoint; from then on changes count for the next one. @param saved those of all before are in the state file */
  takeChanges(saved: boolean): Promise<Map<string, Changes>> {
    return this.stores.takeChanges(saved);
  }

  /** What was done since the last checkpoint; from then on it counts for the next one. */
  takeCounts(): TaskCounts {
    const { rowsIn, rowsOut, bad } = this;
    this.rowsIn = 0;
    this.rowsOut = 0;
    this.bad = 0;
    this.dirty = false;
    return { rowsIn, rowsOut, bad };
  }
}
