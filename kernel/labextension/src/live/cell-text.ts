import { zonedTime, zoneOf } from "../../../../lib/zoned-time.ts";

/** How a value of a column is written in the table. */
export function cellText(value: unknown, dtype: string): string {
  if (value === null || value === undefined) return "null";
  if (dtype.startsWith("Datetime") || dtype === "Date") return timeText(Number(value), dtype) ?? String(value);
  if (typeof value === "number") return numberText(value);
  if (typeof value === "object") return JSON.stringify(value, plain);
  return String(value);
}

/** Dates, and instants in UTC or as clocks of their zone show them; microseconds only where there are some. */
function timeText(value: number, dtype: string): string | undefined {
  const ms = Math.floor(value);
  const instant = new Date(ms);
  if (Number.isNaN(instant.valueOf())) return undefined;
  const text = instant.toISOString().replace("T", " ").replace("Z", "");
  if (dtype === "Date") return text.slice(0, 10);
  const zone = zoneOf(dtype);
  const shown = zone === undefined ? text : zonedTime(ms, zone);
  const micros = Math.round((value - ms) * 1000);
  return micros === 0 ? shown : shown.replace(/\.\d{3}/, (digits) => digits + String(micros).padStart(3, "0"));
}

/** Whole numbers as they are, others with seven digits. */
const numberText = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 1e15 ? String(value) : String(Number(value.toPrecision(7)));

/** Inside of lists and structs: vectors of numbers as lists, and large integers as the numbers they are. */
function plain(_: string, value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<unknown>);
  if (typeof value !== "bigint") return value;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
}

export const isNumber = (dtype: string): boolean => /^(U?Int|Float)/.test(dtype);

/** Wide enough for most values of the dtype and for the name, px. */
export function columnWidth(name: string, dtype: string): number {
  const values =
    zoneOf(dtype) !== undefined
      ? 232
      : dtype.startsWith("Datetime")
        ? 184
        : /^(List|Struct)/.test(dtype)
          ? 240
          : isNumber(dtype)
            ? 104
            : 140;
  return Math.min(320, Math.max(values, name.length * 8 + 24));
}

/** Wide enough for a number: one that is cut off is another number, px. */
export const numberWidth = (text: string): number => text.length * 8 + 20;
