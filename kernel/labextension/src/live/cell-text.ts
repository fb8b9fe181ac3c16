/** How a value of a column is written in the table. */
export function cellText(value: unknown, dtype: string): string {
  if (value === null || value === undefined) return "null";
  if (dtype.startsWith("Datetime") || dtype === "Date") {
    const instant = new Date(Number(value));
    if (Number.isNaN(instant.valueOf())) return String(value);
    const text = instant.toISOString().replace("T", " ").replace("Z", "");
    return dtype === "Date" ? text.slice(0, 10) : text;
  }
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
  if (typeof value === "object")
    return JSON.stringify(
      ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<unknown>) : value,
      (_, each) => (typeof each === "bigint" ? String(each) : each),
    );
  return String(value);
}

export const isNumber = (dtype: string): boolean => /^(U?Int|Float)/.test(dtype);

/** Wide enough for most values of the dtype and for the name, px. */
export function columnWidth(name: string, dtype: string): number {
  const values = dtype.startsWith("Datetime") ? 184 : /^(List|Struct)/.test(dtype) ? 240 : isNumber(dtype) ? 104 : 140;
  return Math.min(320, Math.max(values, name.length * 8 + 24));
}
