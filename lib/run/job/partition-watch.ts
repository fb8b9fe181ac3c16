import type { Cluster } from "../../log/index.ts";

/** How often a running job looks whether its sources have more partitions, ms. */
const INTERVAL = 10_000;

/** Looks at the partition counts of topics from time to time. What cannot be read now is read the next time. */
export class PartitionWatch {
  readonly #timer: NodeJS.Timeout;
  #counts: ReadonlyMap<string, number> | undefined;
  #looking = false;

  /** @param changed called with topic, count before and count now */
  constructor(
    cluster: Cluster,
    topics: readonly string[],
    changed: (topic: string, before: number, now: number) => void,
  ) {
    const look = async () => {
      if (this.#looking) return;
      this.#looking = true;
      try {
        const counts = new Map(
          [...(await cluster.metadata(topics))].map(([topic, { partitions }]) => [topic, partitions.length]),
        );
        const before = this.#counts;
        this.#counts = counts;
        for (const [topic, count] of counts) {
          const known = before?.get(topic);
          if (known !== undefined && known !== count) changed(topic, known, count);
        }
      } catch {
        // brokers away, or a topic gone: reading says so
      } finally {
        this.#looking = false;
      }
    };
    this.#timer = setInterval(look, INTERVAL);
    this.#timer.unref();
    void look();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
