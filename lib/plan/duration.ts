import { Refusal } from "../error.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};

/**
 * Milliseconds of a Polars duration string: `"500ms"`, `"1s"`, `"1h30m"`, `"-10m"`; units ms, s, m, h, d, w.
 * @throws Refusal `BAD_DURATION`: not a duration, smaller than a millisecond, or of varying length (months, years)
 */
export function parseDuration(text: string, name = "duration"): number {
  const [, sign, body] = /^(-?)((?:\d+(?:ms|us|ns|mo|[smhdwqyi]))+)$/.exec(text.trim()) ?? [];
  const refuse = (why: string): never => {
    throw new Refusal({
      code: "BAD_DURATION",
      what: `${name} "${text}" ${why}`,
      remedies: ['write a duration such as "500ms", "1s", "10m", "1h30m" or "1d"'],
    });
  };
  if (body === undefined) return refuse("is not a duration");
  let total = 0;
  for (const [, count, unit] of body.matchAll(/(\d+)([a-z]+)/g)) {
    const ms = UNITS[unit!];
    if (unit === "us" || unit === "ns") return refuse("is finer than a millisecond, the unit of event time");
    if (ms === undefined) return refuse("has a unit whose length varies or is not a time");
    total += Number(count) * ms;
  }
  return sign === "-" ? -total : total;
}

/** The shortest duration string for these milliseconds: 60000 -> `1m`. */
export function printDuration(ms: number): string {
  if (ms === 0) return "0s";
  for (const unit of ["d", "h", "m", "s"]) if (ms % UNITS[unit]! === 0) return `${ms / UNITS[unit]!}${unit}`;
  return `${ms}ms`;
}
