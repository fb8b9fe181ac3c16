/** A record that no row could be made of, with all that is needed to look at it, or to write it to a dead-letter topic. */
export interface BadRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The record's own timestamp, ms since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** For a reader, in one phrase: `gForceX: "fast" is not a Float64`. */
  readonly reason: string;
}
