import { Refusal } from "../error.ts";

/** A length of time as a calendar counts it: months and days are as long as they happen to be, milliseconds go by the clock. */
export interface CalendarDuration {
  readonly months: number;
  readonly days: number;
  readonly ms: number;
}

/** Windows that follow a calendar in a time zone: durations as they were written. */
export interface Calendar {
  readonly every: string;
  readonly period: string;
  readonly offset: string;
  /** An IANA name. */
  readonly timeZone: string;
}

const MONTHS: Readonly<Record<string, number>> = { mo: 1, q: 3, y: 12 };
const DAYS: Readonly<Record<string, number>> = { d: 1, w: 7 };
const CLOCK: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
export const DAY = 86_400_000;

/**
 * A Polars duration string, calendar units included: `"1mo"`, `"1d"`, `"2w"`, `"1q"`, `"1y"`, `"1d6h"`, `"-3h"`.
 * @throws Refusal `BAD_DURATION`
 */
export function parseCalendarDuration(text: string, name = "duration"): CalendarDuration {
  const [, sign, body] = /^(-?)((?:\d+(?:ms|us|ns|mo|[smhdwqyi]))+)$/.exec(text.trim()) ?? [];
  const total = { months: 0, days: 0, ms: 0 };
  const direction = sign === "-" ? -1 : 1;
  for (const [, count, unit] of body?.matchAll(/(\d+)([a-z]+)/g) ?? [["", "", "?"]]) {
    const n = Number(count) * direction;
    if (unit! in MONTHS) total.months += n * MONTHS[unit!]!;
    else if (unit! in DAYS) total.days += n * DAYS[unit!]!;
    else if (unit! in CLOCK) total.ms += n * CLOCK[unit!]!;
    else
      throw new Refusal({
        code: "BAD_DURATION",
        what: `${name} "${text}" is not a duration of a calendar`,
        remedies: ['write a duration such as "1d", "1w", "1mo", "1q", "1y" or "6h"'],
      });
  }
  return total;
}

/** Whether a duration string has units that only a calendar gives a length: weeks (which start on Mondays), months, quarters, years. */
export function needsCalendar(text: string): boolean {
  return /\d(mo|[wqy])/.test(text);
}

/** At most this long, in ms. */
export function longest({ months, days, ms }: CalendarDuration): number {
  // a day in which the clock is put back is longer than 24 hours
  return (months * 31 + days) * DAY + ms + (months + days === 0 ? 0 : 2 * CLOCK.h!);
}

/** @throws Refusal `BAD_TIME_ZONE` */
export function checkTimeZone(name: string): string {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone && name;
  } catch (cause) {
    throw new Refusal({
      code: "BAD_TIME_ZONE",
      what: `"${name}" is not the name of a time zone`,
      remedies: ['use an IANA name, such as "Europe/Berlin" or "UTC"'],
      cause,
    });
  }
}
