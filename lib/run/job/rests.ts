import type { FetchedPartition } from "../../log/index.ts";

/** How long to wait after a batch before the next, in times that it took. */
const REST = 1;

/**
 * When a worker that has read all there is waits for more instead of taking what comes at once. With exactly-once nobody sees a row before the next
 * checkpoint, and a batch costs about as much whether it holds a hundred rows or a thousand: many small ones would take the time, and the cores, of
 * those who wait for the rows. The last batch before a checkpoint ends when that is due.
 */
export class Rests {
  readonly #use: boolean;
  #lasted = 0;
  #until = Number.NEGATIVE_INFINITY;

  constructor(use: boolean) {
    this.#use = use;
  }

  /** Notes a batch that has been worked off, and when that began. */
  worked(fetched: readonly FetchedPartition[], began: number): void {
    if (!this.#use || fetched.length === 0) return;
    this.#lasted = performance.now() - began;
    const isReadUp = fetched.every(({ nextOffset, lastStableOffset }) => nextOffset >= lastStableOffset);
    this.#until = isReadUp ? began + (1 + REST) * this.#lasted : Number.NEGATIVE_INFINITY;
  }

  /** How long there is nothing to do yet, ms, when a checkpoint is due in so many. */
  left(untilCheckpoint: number): number {
    return Math.max(0, Math.min(this.#until - performance.now(), untilCheckpoint - this.#lasted));
  }

  /** Before its time a checkpoint is due by so many ms: another batch would delay it by more. */
  get early(): number {
    return this.#until > performance.now() ? this.#lasted / 2 : 0;
  }
}
