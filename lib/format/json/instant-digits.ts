import pl from "nodejs-polars";

/** What stands in a row for an instant or a date until its digits are written over it. */
const PLACE: Readonly<Record<string, string>> = {
  "Datetime(ms)": "0000-00-00T00:00:00.000Z",
  "Datetime(us)": "0000-00-00T00:00:00.000000Z",
  Date: "0000-00-00",
};
const UNITS_PER_DAY: Readonly<Record<string, number>> = { "Datetime(ms)": 86_400e3, "Datetime(us)": 86_400e6, Date: 1 };
// years 0000 to 9999, as days since the epoch
const FIRST_DAY = -719_528;
const LAST_DAY = 2_932_896;
const ZERO = 0x30;

/** The instants or dates of one column, to be written as ISO 8601 into rows that hold a place for them. */
export interface InstantColumn {
  /** The column's cells in JSON: the place, or null. */
  readonly place: pl.Expr;
  /** What to look for in a row. */
  readonly marker: Buffer;
  /** Counts of the unit since the epoch; null where the cell is. */
  readonly counts: ArrayLike<number | null>;
  readonly unitsPerDay: number;
}

/**
 * Undefined for dtypes that are no instants and for those out of range. Polars' own `strftime` takes some 600 ns an instant, this a tenth.
 */
export function instantColumn(series: pl.Series, name: string, dtype: string): InstantColumn | undefined {
  const text = PLACE[dtype];
  if (text === undefined || series.length === 0) return undefined;
  const unitsPerDay = UNITS_PER_DAY[dtype]!;
  const whole = dtype === "Date" ? series.cast(pl.Int32).cast(pl.Float64) : series.cast(pl.Int64).cast(pl.Float64);
  const nulls = whole.nullCount();
  if (nulls < whole.length) {
    const [least, most] = [whole.min() as number, whole.max() as number];
    if (!(Math.floor(least / unitsPerDay) >= FIRST_DAY && Math.floor(most / unitsPerDay) <= LAST_DAY)) return undefined;
  }
  return {
    place: pl.when(pl.col(name).isNull()).then(pl.lit(null)).otherwise(pl.lit(text)).alias(name),
    marker: Buffer.from(`${JSON.stringify(name)}:"${text}"`),
    counts: nulls === 0 ? (whole.toTypedArray() as Float64Array) : (whole.toArray() as (number | null)[]),
    unitsPerDay,
  };
}

/** Writes the digits of all rows over their places. False when a place is not found; nothing of `bytes` counts then. */
export function writeInstants(bytes: Buffer, ends: Uint32Array, column: InstantColumn): boolean {
  const { counts, marker, unitsPerDay } = column;
  const length = PLACE_LENGTH[unitsPerDay]!;
  const width = unitsPerDay === 1 ? 0 : unitsPerDay === 86_400e3 ? 3 : 6;
  let day = Number.NaN;
  let date = dateDigits(0);
  let from = 0;
  for (let row = 0; row < ends.length; row++) {
    const count = counts[row];
    if (count !== null && count !== undefined) {
      const found = bytes.indexOf(marker, from);
      if (found === -1 || found >= ends[row]!) return false;
      const at = found + marker.length - 1 - length;
      const ofDay = Math.floor(count / unitsPerDay);
      if (ofDay !== day) {
        day = ofDay;
        date = dateDigits(day);
      }
      for (let i = 0; i < 10; i++) bytes[at + i] = date[i]!;
      if (width > 0) writeTime(bytes, at + 11, count - day * unitsPerDay, width);
    }
    from = ends[row]!;
  }
  return true;
}

const PLACE_LENGTH: Readonly<Record<number, number>> = Object.fromEntries(
  Object.entries(PLACE).map(([dtype, text]) => [UNITS_PER_DAY[dtype], text.length]),
);

/** `HH:MM:SS.` and `width` digits; the punctuation is there already. */
function writeTime(bytes: Buffer, at: number, ofDay: number, width: number): void {
  const perSecond = width === 3 ? 1e3 : 1e6;
  const second = Math.floor(ofDay / perSecond);
  let fraction = ofDay - second * perSecond;
  for (let i = at + 8 + width; i > at + 8; i--) {
    const tenth = Math.floor(fraction / 10);
    bytes[i] = ZERO + fraction - tenth * 10;
    fraction = tenth;
  }
  writeTwo(bytes, at, Math.floor(second / 3600));
  writeTwo(bytes, at + 3, Math.floor(second / 60) % 60);
  writeTwo(bytes, at + 6, second % 60);
}

function writeTwo(bytes: Buffer, at: number, value: number): void {
  const tens = Math.floor(value / 10);
  bytes[at] = ZERO + tens;
  bytes[at + 1] = ZERO + value - tens * 10;
}

const dates = new Map<number, Uint8Array>();

/** `YYYY-MM-DD` of a day since the epoch. */
function dateDigits(day: number): Uint8Array {
  let digits = dates.get(day);
  if (digits === undefined) {
    if (dates.size > 4000) dates.clear();
    digits = Buffer.from(new Date(day * 86_400e3).toISOString().slice(0, 10));
    dates.set(day, digits);
  }
  return digits;
}
