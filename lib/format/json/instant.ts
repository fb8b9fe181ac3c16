/**
 * ISO 8601: `date [(T| ) time [zone]]`, `date = YYYY-MM-DD`, `time = HH:MM[:SS[(.|,)fraction]]`, `zone = Z | ±HH[[:]MM]`.
 * Without a zone it is UTC.
 */
const ISO = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Milliseconds since the epoch, or undefined when the text is no ISO 8601 date or time. Digits below the millisecond are cut off. */
export function parseInstant(text: string): number | undefined {
  const parts = ISO.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second] = parts.slice(1, 7).map((part) => Number(part ?? 0)) as number[];
  const ms = Number((parts[7] ?? "").padEnd(3, "0").slice(0, 3));
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year!, month! - 1, day);
  date.setUTCHours(hour!, minute, second, ms);
  // 2026-02-30 would have rolled over into March
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return undefined;
  return date.getTime() - zoneMinutes(parts[8]) * 60_000;
}

function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === "Z" || zone === "z") return 0;
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone)!;
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes ?? 0));
}
