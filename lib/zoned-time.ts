const formats = new Map<string, Intl.DateTimeFormat>();

/** The time zone of a dtype by its name: `Datetime(us,Europe/Berlin)` -> `Europe/Berlin`. */
export const zoneOf = (dtype: string): string | undefined => /^Datetime\(\w+,(.+)\)$/.exec(dtype)?.[1];

/** An instant as clocks of a zone show it, with their distance from UTC: `2026-01-31 13:00:00.000+01:00`. @param ms since the epoch */
export function zonedTime(ms: number, zone: string): string {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      numberingSystem: "latn",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      timeZoneName: "longOffset",
    });
    formats.set(zone, format);
  }
  const part = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]));
  const offset = part.timeZoneName!.slice(3) || "+00:00"; // `GMT+01:00`, or `GMT`
  const { year, month, day, hour, minute, second, fractionalSecond } = part;
  return `${year!.padStart(4, "0")}-${month}-${day} ${hour}:${minute}:${second}.${fractionalSecond}${offset}`;
}
