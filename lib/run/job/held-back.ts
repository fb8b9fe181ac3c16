import type { Fetcher } from "../../log/index.ts";
import type { JobLog } from "./log.ts";
import type { JobMetrics } from "./metrics.ts";

/** How often it is looked, and how long records are held back before the log says so, ms. */
const INTERVAL = 2000;

/**
 * Keeps the lag of partitions that bring nothing, too: those that were just opened have not been fetched from, those that are held up are not processed.
 * And notices records that another producer's open transaction holds back from readers of committed records: lag looks like none, and nothing
 * comes. They are counted, and the log says so once per partition and time.
 */
export class HeldBackWatch {
  readonly #timer: NodeJS.Timeout;
  readonly #told = new Set<string>();

  /** @param fetcher the one in use now */
  constructor(fetcher: () => Fetcher, metrics: JobMetrics, log: JobLog) {
    let before = new Set<string>();
    this.#timer = setInterval(() => {
      const held = new Set<string>();
      for (const { topic, partition, heldBack, offset, end } of fetcher().assignment()) {
        if (end !== undefined) metrics.lag.set({ topic, partition }, Math.max(0, end - offset));
        metrics.heldBack.set({ topic, partition }, heldBack);
        const name = `${topic}/${partition}`;
        if (heldBack === 0) {
          this.#told.delete(name);
          continue;
        }
        held.add(name);
        if (!before.has(name) || this.#told.has(name)) continue;
        this.#told.add(name);
        log.warn("records are held back by an open transaction of another producer", {
          topic,
          partition,
          offset,
          records: heldBack,
        });
      }
      before = held;
    }, INTERVAL).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
