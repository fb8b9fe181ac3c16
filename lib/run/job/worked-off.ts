import { type Cluster, deleteRecords } from "../../log/index.ts";
import { settledWithin } from "../../settled-within.ts";
import type { SealedTask } from "./commit-transaction.ts";
import type { JobTopics } from "./job-topics.ts";
import type { JobLog } from "./log.ts";

/** Rows that were worked on are deleted so often, ms. */
const INTERVAL = 30_000;
/** The end of a job waits so long for the last of them, ms. */
const LAST = 5000;

/**
 * Rows that tasks have sent each other: once offsets after them are committed nobody reads them again, and their topics, which no time limit clears, would
 * grow for ever.
 */
export class WorkedOff {
  readonly #cluster: Cluster;
  readonly #topics: JobTopics;
  readonly #log: JobLog;
  /** topic -> partition -> the offset that is committed, where it has moved since the last time. */
  readonly #committed = new Map<string, Map<number, number>>();
  #last = performance.now();
  #working: Promise<void> = Promise.resolve();
  #refused = false;

  constructor({ cluster, topics, log }: { cluster: Cluster; topics: JobTopics; log: JobLog }) {
    this.#cluster = cluster;
    this.#topics = topics;
    this.#log = log;
  }

  /** After a checkpoint of these tasks. */
  committed(sealed: readonly SealedTask[]): void {
    for (const topic of this.#topics.repartitions.values())
      for (const { task, position } of sealed) {
        const offset = position.offsets[topic] ?? 0;
        if (offset === 0) continue;
        const partitions = this.#committed.get(topic) ?? new Map<number, number>();
        this.#committed.set(topic, partitions.set(task.partition, offset));
      }
    if (performance.now() - this.#last >= INTERVAL) this.#delete();
  }

  async end(): Promise<void> {
    this.#delete();
    await settledWithin(LAST, this.#working);
  }

  #delete(): void {
    this.#last = performance.now();
    if (this.#refused) return;
    const all = [...this.#committed];
    this.#committed.clear();
    this.#working = this.#working
      .then(async () => {
        for (const [topic, offsets] of all) await deleteRecords(this.#cluster, topic, offsets);
      })
      .catch((error) => {
        this.#refused = /AUTHORIZATION/.test(String(error));
        const why = this.#refused ? "the right to delete is lacking, and their topics grow" : "trying again";
        this.#log.warn(`rows that tasks have sent each other are not deleted: ${why}`, { error: String(error) });
      });
  }
}
