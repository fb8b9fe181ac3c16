import type { TopicPartition } from "./columns.ts";

export interface Batch {
  readonly bytes: Buffer;
  readonly count: number;
  readonly sequence: number;
  /** Counts on where `sequence` starts again after 2^31. */
  readonly order: number;
  readonly since: number;
  /** It has been sent at least once: whether it was written is known only from an answer. */
  tried: boolean;
}

/** The batches of one partition, in sequence: sent and unanswered, to be sent again, not yet sent. */
export interface Outbox extends TopicPartition {
  inFlight: Batch[];
  failed: Batch[];
  waiting: Batch[];
  sequence: number;
  batches: number;
  retryAt: number;
  /** Its place in the open transaction: `added` once the coordinator knows of it, `confirmed` once its leader has taken a batch. */
  inTransaction: "no" | "added" | "confirmed";
  /**
   * A batch has been acknowledged. Until then one is sent at a time: a partition that knows nothing of a producer takes any sequence number,
   * so where the first batch is turned down (a topic just created) the second would be written, and the first refused from then on.
   */
  known: boolean;
  /** Calls of `send` come one after the other. */
  turn: Promise<void>;
}

/** What a broker remembers per producer and partition: more batches in flight could not be told from repeats. */
export const MAX_IN_FLIGHT = 5;

export function emptyOutbox(topic: string, partition: number): Outbox {
  const queues = { inFlight: [], failed: [], waiting: [] };
  const counters = { sequence: 0, batches: 0, retryAt: 0 };
  return { topic, partition, ...queues, ...counters, inTransaction: "no", known: false, turn: Promise.resolve() };
}

/** Whether a batch may be sent now; none is while one that failed waits for the answers to those behind it. */
export const hasNext = ({ waiting, failed, inFlight, retryAt, known }: Outbox, now: number, most: number): boolean =>
  waiting.length > 0 && failed.length === 0 && inFlight.length < (known ? most : 1) && retryAt <= now;

/** What failed is to be sent again, in sequence, before what was never sent. */
export function putBack(outbox: Outbox): void {
  outbox.waiting = [...outbox.failed.sort((a, b) => a.order - b.order), ...outbox.waiting];
  outbox.failed = [];
}

/** A gap before this batch is to be expected: one before it failed, or is still under way on a connection that broke. */
export const earlierUnwritten = ({ failed, inFlight }: Outbox, batch: Batch) =>
  failed.some(({ order }) => order < batch.order) || inFlight.some(({ order }) => order < batch.order);

/** The order of the first batch that is not acknowledged; infinity where all are. */
export const firstUnacknowledged = ({ waiting, inFlight, failed }: Outbox) =>
  Math.min(...[...inFlight, ...failed, ...waiting.slice(0, 1)].map(({ order }) => order));
