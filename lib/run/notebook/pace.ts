import { Refusal } from "../../error.ts";
import type { ReadRows } from "./plan-reader.ts";

interface Held {
  readonly rows: ReadRows;
  /** The largest event time up to each row, ms. */
  readonly times: Float64Array;
  next: number;
}

/** Lets rows out at a multiple of the speed at which they happened: a minute of event time in `60 / speed` seconds. */
export class Pace {
  readonly speed: number;
  readonly #held: Held[] = [];
  /** Event time and wall clock that belong together, ms. */
  #origin: { event: number; wall: number } | undefined;

  /** @throws Refusal `BAD_SPEED` */
  constructor(speed: number) {
    if (!(speed >= 0.1 && speed <= 100))
      throw new Refusal({
        code: "BAD_SPEED",
        what: `replay(${speed}): the speed is a number from 0.1 to 100`,
        remedies: ["replay(1) is the speed at which it happened; replay() goes as fast as it can"],
      });
    this.speed = speed;
  }

  get waiting(): boolean {
    return this.#held.length > 0;
  }

  hold(batch: readonly ReadRows[]): void {
    for (const rows of batch) this.#held.push({ rows, times: risingTimes(rows), next: 0 });
  }

  /** The rows whose time has come. @param now wall clock, ms */
  due(now: number): ReadRows[] {
    if (this.#held.length === 0) return [];
    this.#origin ??= {
      event: Math.min(...this.#held.map(({ times }) => times[0] ?? Number.POSITIVE_INFINITY)),
      wall: now,
    };
    const clock = this.#origin.event + (now - this.#origin.wall) * this.speed;
    const out: ReadRows[] = [];
    for (const held of this.#held) {
      const { rows, times, next } = held;
      let end = next;
      while (end < times.length && !(times[end]! > clock)) end++;
      if (end > next) out.push({ task: rows.task, rows: rows.rows.slice(next, end - next) });
      held.next = end;
    }
    this.#held.splice(0, this.#held.length, ...this.#held.filter(({ next, times }) => next < times.length));
    return out;
  }

  /** What is held, at once: the pace is given up. */
  rest(): ReadRows[] {
    return this.#held
      .splice(0)
      .map(({ rows: { task, rows }, next }) => ({ task, rows: rows.slice(next, rows.height - next) }));
  }
}

function risingTimes({ rows }: ReadRows): Float64Array {
  if (!rows.columns.includes("_time")) return new Float64Array(rows.height).fill(Number.NEGATIVE_INFINITY);
  let most = Number.NEGATIVE_INFINITY;
  const times = rows.getColumn("_time").toArray() as (Date | number | null)[];
  return Float64Array.from(times, (time) => {
    if (time !== null) most = Math.max(most, Number(time));
    return most;
  });
}
