import { stateOf, stateText } from "./state-text.ts";

/** What is kept of one key, as text and numbers. */
export interface KeptEntry {
  readonly state: string | null;
  readonly timers: string;
  readonly wallTimers: string;
  readonly touched: number | null;
  readonly key: string | null;
  readonly partition: number;
}

/** A wall-clock timer: after so many ms from when the clock is next looked at, then at a time. */
export type WallTimer = { readonly after: number } | { readonly at: number };

/** What one key has while a batch is worked on: state, timers, and what it takes to undo a row. */
export class ProcessEntry {
  /** Undefined where there is none: the next row makes it anew. */
  state: unknown;
  hasState = false;
  timers = new Map<string, number>();
  wallTimers = new Map<string, WallTimer>();
  touched: number | null = null;
  key: string | null = null;
  partition = 0;
  changed = false;
  /** What was done since {@link KeptEntry} `#base`, to be done again when something after it is undone. */
  #done: (() => void)[] = [];
  #base: KeptEntry;

  constructor(kept: KeptEntry) {
    this.#base = kept;
    this.#restore();
  }

  get isEmpty(): boolean {
    return !this.hasState && this.timers.size === 0 && this.wallTimers.size === 0;
  }

  /** Does something that may throw; then the entry is as it was before. @param again the same, without output */
  attempt(work: () => void, again: () => void): void {
    this.changed = true;
    try {
      work();
      this.#done.push(again);
    } catch (error) {
      this.#restore();
      for (const step of this.#done) step();
      this.#base = this.kept("process");
      this.#done = [];
      throw error;
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.hasState = false;
    this.state = undefined;
    this.timers.clear();
    this.wallTimers.clear();
    this.touched = null;
    this.#base = this.kept("process");
    this.#done = [];
    this.changed = true;
  }

  /** @throws MillraceError `STATE_NOT_DATA` */
  kept(where: string): KeptEntry {
    return {
      state: this.hasState ? stateText(this.state, where) : null,
      timers: JSON.stringify(Object.fromEntries(this.timers)),
      wallTimers: JSON.stringify(Object.fromEntries(this.wallTimers)),
      touched: this.touched,
      key: this.key,
      partition: this.partition,
    };
  }

  #restore(): void {
    const { state, timers, wallTimers, touched, key, partition } = this.#base;
    this.hasState = state !== null;
    this.state = state === null ? undefined : stateOf(state);
    this.timers = new Map(Object.entries(JSON.parse(timers)));
    this.wallTimers = new Map(Object.entries(JSON.parse(wallTimers)));
    this.touched = touched;
    this.key = key;
    this.partition = partition;
  }
}

export const NOTHING_KEPT: KeptEntry = {
  state: null,
  timers: "{}",
  wallTimers: "{}",
  touched: null,
  key: null,
  partition: 0,
};
