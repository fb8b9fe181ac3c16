/** How a value of a column is written in the table. */
export function cellText(value: unknown, dtype: string): string {
  if (value === null || value === undefined) return "null";
  if (dtype.startsWith("Datetime") || dtype === "Date") {
    const instant = new Date(Number(value));
    if (Number.isNaN(instant.valueOf())) return String(value);
    const text = instant.toISOString().replace("T", " ").replace("Z", "");
    return dtype === "Date" ? text.slice(0, 10) : text;
  }
  if (typeof value === "number") return numberText(value);
  if (typeof value === "object") return JSON.stringify(value, plain);
  return String(value);
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
  const values = dtype.startsWith("Datetime") ? 184 : /^(List|Struct)/.test(dtype) ? 240 : isNumber(dtype) ? 104 : 140;
  return Math.min(320, Math.max(values, name.length * 8 + 24));
}

/** Wide enough for a number: one that is cut off is another number, px. */
export const numberWidth = (text: string): number => text.length * 8 + 20;
