import { committedOffsets } from "../../log/index.ts";
import type { PartitionTask } from "./partition-task.ts";
import type { WorkerContext } from "./worker.ts";

type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** What the sources hold when a job starts that is to end there: how far it has to come, all its workers together. */
export class SourceEnds {
  readonly #context: WorkerContext;
  /** Topic -> partition -> offset after its last record. */
  readonly offsets: Ends;
  /** What the job's own repartition topics held once everything before them was done. */
  readonly #inner = new Map<string, ReadonlyMap<number, number>>();

  private constructor(context: WorkerContext, offsets: Ends) {
    this.#context = context;
    this.offsets = offsets;
  }

  static async now(context: WorkerContext): Promise<SourceEnds> {
    const ends = context.topics.external.map(
      async (topic) => [topic, await context.cluster.listOffsets(topic, "latest", "read_committed")] as const,
    );
    return new SourceEnds(context, new Map(await Promise.all(ends)));
  }

  /** A partition is at work that was not: what the job's own topics hold at the end is not known any more. */
  opened(): void {
    this.#inner.clear();
  }

  /**
   * Whether the group has committed everything up to them.
   * @param checkpoint makes one of what the tasks did, and waits for it
   * @param settled waits for the one that is under way
   */
  async reached(
    tasks: readonly PartitionTask[],
    checkpoint: () => Promise<void>,
    settled: () => Promise<void>,
  ): Promise<boolean> {
    const committedUpTo = async (ends: Ends) => {
      if (tasks.some((task) => isBehind(task, ends))) return false;
      await settled();
      if (tasks.some(({ dirty }) => dirty)) await checkpoint();
      return this.#hasCommitted(ends);
    };
    if (!(await committedUpTo(this.offsets))) return false;
    // that they have ended is the last that tasks tell each other
    const untold = tasks.filter(({ inputs }) => inputs?.untold);
    if (untold.length > 0) {
      for (const task of untold) task.dirty = true;
      await checkpoint();
      return false;
    }
    // Each holds all it ever will once everything before it is done. A transaction has ended when its offsets are known as committed, but its marker
    // may reach these partitions later: until then their last stable offset is one before what was sent.
    const { topics, cluster } = this.#context;
    for (const topic of topics.repartitions.values()) {
      const end = this.#inner.get(topic) ?? (await cluster.listOffsets(topic, "latest", "read_uncommitted"));
      this.#inner.set(topic, end);
      if (!(await committedUpTo(new Map([[topic, end]])))) return false;
    }
    return true;
  }

  async #hasCommitted(ends: Ends): Promise<boolean> {
    const { cluster, settings } = this.#context;
    const partitions = [...ends].flatMap(([topic, offsets]) =>
      [...offsets.keys()].map((partition) => ({ topic, partition })),
    );
    const committed = await committedOffsets(cluster, settings.name, partitions, { requireStable: true });
    return [...ends].every(([topic, offsets]) =>
      [...offsets].every(([partition, end]) => (committed.get(topic)?.get(partition) ?? -1) >= end),
    );
  }
}

function isBehind({ offsets, partition }: PartitionTask, ends: Ends): boolean {
  return [...offsets].some(([topic, offset]) => offset < (ends.get(topic)?.get(partition) ?? 0));
}
