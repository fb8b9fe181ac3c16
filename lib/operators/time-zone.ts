import { DAY } from "../plan/calendar.ts";

/** Wall-clock time in a time zone, as Intl knows it. A wall-clock time is given in ms as if it were UTC. */
export class TimeZone {
  readonly #format: Intl.DateTimeFormat;

  /** @param name an IANA name */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en-u-ca-iso8601-nu-latn", {
      timeZone: name,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  }

  /** What a clock on the wall shows at an instant. */
  wallClock(instant: number): number {
    const parts: Record<string, string> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) parts[type] = value;
    const year = Number(parts.year) * 1;
    const date = new Date(0);
    date.setUTCFullYear(parts.era?.startsWith("B") ? 1 - year : year, Number(parts.month) - 1, Number(parts.day));
    date.setUTCHours(Number(parts.hour), Number(parts.minute), Number(parts.second));
    return date.getTime() + (((instant % 1000) + 1000) % 1000);
  }

  /**
   * The first instant at which the clock shows this time or a later one. Where the clock shows it twice, that is the earlier one; where it
   * jumps over it, the instant of the jump.
   */
  instant(wallClock: number): number {
    const offsets = [wallClock - DAY, wallClock + DAY].map((near) => this.wallClock(near) - near);
    const exact = offsets.map((offset) => wallClock - offset).filter((at) => this.wallClock(at) === wallClock);
    if (exact.length > 0) return Math.min(...exact);
    let [before, after] = [wallClock - Math.max(...offsets) - 1, wallClock - Math.min(...offsets)];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.wallClock(middle) >= wallClock) after = middle;
      else before = middle;
    }
    return after;
  }
}
