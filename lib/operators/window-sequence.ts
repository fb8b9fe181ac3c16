import { type Calendar, DAY, parseCalendarDuration } from "../plan/calendar.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import { TimeZone } from "./time-zone.ts";

/** Windows of event time, numbered in the order of their starts. Times are in ms since the epoch; starts and ends never go back. */
export interface WindowSequence {
  /** The window that starts last, at this time or before it. */
  newest(time: number): number;
  start(window: number): number;
  end(window: number): number;
}

export function windowSequence(
  node: Pick<GroupByDynamicNode, "every" | "period" | "offset" | "calendar">,
): WindowSequence {
  return node.calendar === undefined ? new FixedWindows(node) : new CalendarWindows(node.calendar);
}

/** Windows of equal length, aligned to the epoch. */
class FixedWindows implements WindowSequence {
  readonly #every: number;
  readonly #period: number;
  readonly #offset: number;

  constructor({ every, period, offset }: { every: number; period: number; offset: number }) {
    this.#every = every;
    this.#period = period;
    this.#offset = offset;
  }

  newest(time: number): number {
    return Math.floor((time - this.#offset) / this.#every);
  }

  start(window: number): number {
    return window * this.#every + this.#offset;
  }

  end(window: number): number {
    return window * this.#every + this.#offset + this.#period;
  }
}

/** Weeks start on Mondays: the first one after the epoch, a Thursday. */
const FIRST_MONDAY = 4;
const BLOCK = 900_000;

/**
 * Windows of days, weeks or months on the wall clock of a time zone. The offset moves the hands of the clock: with "6h" days start when it
 * shows six. Months and days of the period go by the calendar, its hours by what has passed.
 */
class CalendarWindows implements WindowSequence {
  readonly #zone: TimeZone;
  readonly #months: number;
  readonly #days: number;
  readonly #origin: number;
  readonly #offset: ReturnType<typeof parseCalendarDuration>;
  readonly #period: ReturnType<typeof parseCalendarDuration>;
  readonly #starts = new Map<number, number>();
  readonly #ends = new Map<number, number>();
  /** The window of a quarter of an hour, where it has one. */
  readonly #blocks = new Map<number, number>();

  constructor({ every, period, offset, timeZone }: Calendar) {
    const { months, days } = parseCalendarDuration(every);
    this.#zone = new TimeZone(timeZone);
    this.#months = months;
    this.#days = days;
    this.#origin = /\dw/.test(every) ? FIRST_MONDAY : 0;
    this.#offset = parseCalendarDuration(offset);
    this.#period = parseCalendarDuration(period);
  }

  newest(time: number): number {
    const block = Math.floor(time / BLOCK);
    const known = this.#blocks.get(block);
    if (known !== undefined) return known;
    const clock = this.#zone.wallClock(time);
    const date = new Date(clock);
    let window =
      this.#months > 0
        ? Math.floor(((date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()) / this.#months)
        : Math.floor((clock / DAY - this.#origin) / this.#days);
    while (this.start(window) > time) window--;
    while (this.start(window + 1) <= time) window++;
    if (this.start(window) <= block * BLOCK && this.start(window + 1) >= (block + 1) * BLOCK) {
      if (this.#blocks.size > 100_000) this.#blocks.clear();
      this.#blocks.set(block, window);
    }
    return window;
  }

  start(window: number): number {
    return cached(this.#starts, window, () => this.#zone.instant(this.#clockAt(window, this.#offset)));
  }

  end(window: number): number {
    const { months, days, ms } = this.#period;
    return cached(this.#ends, window, () => {
      const { months: m, days: d, ms: hours } = this.#offset;
      return this.#zone.instant(this.#clockAt(window, { months: m + months, days: d + days, ms: hours })) + ms;
    });
  }

  /** What the clock shows when a window starts, moved on. */
  #clockAt(window: number, { months, days, ms }: { months: number; days: number; ms: number }): number {
    const date = new Date(0);
    date.setUTCFullYear(1970, window * this.#months + months, 1);
    return date.getTime() + (this.#origin + window * this.#days + days) * DAY + ms;
  }
}

function cached(values: Map<number, number>, key: number, make: () => number): number {
  let value = values.get(key);
  if (value === undefined) {
    value = make();
    values.set(key, value);
  }
  return value;
}
