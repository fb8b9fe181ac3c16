import type { Cluster } from "./cluster.ts";

/** How old partition counts may become, ms. */
const MAX_AGE = 30_000;

/**
 * Notices partitions added to topics that are being read: nothing else tells a reader. What cannot be asked now is asked the next time;
 * a broker that is away or a topic that is gone is for the reader to find.
 */
export class PartitionWatch {
  readonly #timer: NodeJS.Timeout;
  #looking = false;

  /**
   * @param changed called with the topic, the partition count that was known when the watch began or last changed, and the count now
   * @param maxAge how old what is known may become, ms; 30 s by default
   */
  constructor(
    cluster: Cluster,
    topics: readonly string[],
    changed: (topic: string, before: number, now: number) => void,
    maxAge = MAX_AGE,
  ) {
    const counts = new Map(topics.map((topic) => [topic, cluster.known(topic)?.partitions.length]));
    const look = async () => {
      if (this.#looking || cluster.closed) return;
      this.#looking = true;
      try {
        for (const [topic, { partitions }] of await cluster.metadata(topics)) {
          const before = counts.get(topic);
          counts.set(topic, partitions.length);
          if (before !== undefined && before !== partitions.length) changed(topic, before, partitions.length);
        }
      } catch {
        // asked again after the next interval
      } finally {
        this.#looking = false;
      }
    };
    this.#timer = setInterval(look, maxAge).unref();
    if (topics.some((topic) => counts.get(topic) === undefined)) void look();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
