import pl from "nodejs-polars";
import { written } from "../../polars/written.ts";
import { dtypeName } from "../../schema.ts";

const withSource = (_key: string, value: unknown, context: { source?: string }): unknown =>
  typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? "")
    ? BigInt(context.source!)
    : value;

/**
 * Rows as objects: dates as text `YYYY-MM-DD`, instants and durations as counts of their unit; a whole number beyond 2^53 is a bigint.
 */
export function rowObjects(frame: pl.DataFrame, columns: readonly string[]): Record<string, unknown>[] {
  if (frame.height === 0) return [];
  const exprs = columns.map((name) => {
    const dtype = dtypeName(frame.getColumn(name).dtype);
    if (/^(Datetime|Duration)/.test(dtype)) return pl.col(name).cast(pl.Int64);
    if (dtype === "Date") return pl.col(name).dt.strftime("%Y-%m-%d");
    if (dtype === "Time") return pl.col(name).dt.strftime("%H:%M:%S%.f");
    return dtype === "Categorical" ? pl.col(name).cast(pl.Utf8) : pl.col(name);
  });
  const lines = written(frame.select(...exprs), "json")
    .toString()
    .trimEnd()
    .split("\n");
  return lines.map((line) =>
    JSON.parse(line, /\d{16}/.test(line) ? (withSource as (key: string, value: unknown) => unknown) : undefined),
  );
}
