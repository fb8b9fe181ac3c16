import { parseDuration } from "../plan/duration.ts";
import type { ProcessContext } from "../plan/process-types.ts";
import type { ProcessEntry } from "./process-entry.ts";

/** What a call sets in motion, beyond the entry. */
export interface Effects {
  emit(row: unknown): void;
  /** A timer was set, effective at `at`. */
  timer(at: number, name: string): void;
}

/**
 * The context of one call.
 * @param clock the event time up to which everything was seen, ms; timers are not due before
 */
export function processContext(
  entry: ProcessEntry,
  key: Readonly<Record<string, unknown>>,
  time: number,
  clock: number,
  initial: () => unknown,
  effects: Effects,
): ProcessContext {
  return {
    get state() {
      if (!entry.hasState) {
        entry.state = initial();
        entry.hasState = true;
      }
      return entry.state;
    },
    set state(value) {
      entry.state = value;
      entry.hasState = true;
    },
    key,
    get time() {
      return new Date(time);
    },
    emit: (row) => effects.emit(row),
    timer(at, name = "") {
      const ms = at instanceof Date ? at.getTime() : at;
      if (!Number.isFinite(ms)) throw new TypeError(`a timer was set at ${at}, which is no time`);
      const due = Math.max(Math.ceil(ms), clock);
      entry.timers.set(name, due);
      effects.timer(due, name);
    },
    wallTimer(after, name = "") {
      const ms = typeof after === "string" ? parseDuration(after, "wallTimer") : after;
      if (!(ms >= 0)) throw new TypeError(`a wall-clock timer was set after ${after}`);
      entry.wallTimers.set(name, { after: Math.ceil(ms) });
    },
    clearTimer(name = "") {
      entry.timers.delete(name);
      entry.wallTimers.delete(name);
    },
    clear() {
      entry.hasState = false;
      entry.state = undefined;
    },
  };
}
