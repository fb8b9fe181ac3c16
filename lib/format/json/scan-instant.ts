const QUOTE = 0x22;
const days = new Map<number, number>();

/**
 * `YYYY-MM-DDTHH:MM:SS[.f{1,9}]Z"` in UTC, from 1970 on, as a count of 1/`perSecond` seconds since the epoch; further digits are cut off. NaN for
 * any other text.
 * @param to where the text ends; without it a quote must follow
 */
export function scanInstant(bytes: Buffer, at: number, perSecond: number, to?: number): number {
  const year = two(bytes, at) * 100 + two(bytes, at + 2);
  const date = year * 10_000 + two(bytes, at + 5) * 100 + two(bytes, at + 8);
  const [hour, minute, second] = [two(bytes, at + 11), two(bytes, at + 14), two(bytes, at + 17)];
  if (!(year >= 1970 && hour < 24 && minute < 60 && second < 60)) return Number.NaN;
  if (bytes[at + 4] !== 0x2d || bytes[at + 7] !== 0x2d || bytes[at + 10] !== 0x54) return Number.NaN;
  if (bytes[at + 13] !== 0x3a || bytes[at + 16] !== 0x3a) return Number.NaN;
  let end = at + 19;
  let fraction = 0;
  if (bytes[end] === 0x2e) {
    const first = ++end;
    for (let scale = perSecond / 10; bytes[end]! >= 0x30 && bytes[end]! <= 0x39; end++, scale /= 10)
      if (scale >= 1) fraction += (bytes[end]! - 0x30) * scale;
    if (end === first || end - first > 9) return Number.NaN;
  }
  if (bytes[end] !== 0x5a || (to === undefined ? bytes[end + 1] !== QUOTE : end + 1 !== to)) return Number.NaN;
  return (dayOf(date) * 86_400 + hour * 3600 + minute * 60 + second) * perSecond + fraction;
}

/** NaN where there are no two digits. */
function two(bytes: Buffer, at: number): number {
  const tens = bytes[at]! - 0x30;
  const ones = bytes[at + 1]! - 0x30;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** The day since the epoch of a date written as one number, `YYYYMMDD`; NaN where the calendar has none. */
function dayOf(date: number): number {
  let day = days.get(date);
  if (day === undefined) {
    const [year, month, ofMonth] = [Math.floor(date / 10_000), Math.floor(date / 100) % 100, date % 100];
    const time = Date.UTC(year, month - 1, ofMonth);
    const there = new Date(time);
    day = there.getUTCMonth() === month - 1 && there.getUTCDate() === ofMonth ? time / 86_400e3 : Number.NaN;
    if (days.size > 4000) days.clear();
    days.set(date, day);
  }
  return day;
}
