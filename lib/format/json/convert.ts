import pl from "nodejs-polars";
import { type DTypeName, dtypeOf, type Schema } from "../../schema.ts";
import { parseInstant } from "./instant.ts";
import type { InstantForm } from "./wire.ts";

/** A cell whose text or number is no value of its column's dtype. */
export interface Misfit {
  readonly row: number;
  readonly reason: string;
}

export interface Converted {
  readonly frame: pl.DataFrame;
  /** At most one per row, in order of rows. */
  readonly misfits: readonly Misfit[];
}

/** Turns columns from their wire form into their dtypes. A cell that has none stays in the frame as null and is a misfit. */
export function fromWire(
  frame: pl.DataFrame,
  schema: Schema,
  columns: readonly string[],
  form: InstantForm,
): Converted {
  if (columns.every((name) => AS_WRITTEN.test(schema[name]!)) && columns.length > 0) return { frame, misfits: [] };
  const reasons = new Map<number, string>();
  // an own frame over the same columns: it is changed in place, since every Series object that is made costs a fraction of a millisecond
  const converted = columns.length === 0 ? pl.DataFrame({}) : frame.clone();
  for (const [at, name] of columns.entries()) {
    const dtype = schema[name]!;
    if (AS_WRITTEN.test(dtype)) continue;
    const raw = frame.getColumn(name);
    const series = convert(raw, dtype, form);
    converted.replaceAtIdx(at, series.name === name ? series : series.rename(name));
    if (series.nullCount() === raw.nullCount()) continue;
    const [before, after] = [raw.isNull().toArray(), series.isNull().toArray()];
    for (let row = 0; row < after.length; row++) {
      if (after[row] && !before[row] && !reasons.has(row))
        reasons.set(row, `${name}: ${show(raw.get(row))} is not a ${dtype}`);
    }
  }
  const misfits = [...reasons].sort((a, b) => a[0] - b[0]).map(([row, reason]) => ({ row, reason }));
  return { frame: converted, misfits };
}

/** Dtypes that are their own wire form. */
const AS_WRITTEN = /^(Int64$|Float64$|Utf8$|Boolean$|List|Struct)/;

function convert(raw: pl.Series, dtype: DTypeName, form: InstantForm): pl.Series {
  const unit = /^Datetime\((s|ms|us|ns)\)$/.exec(dtype)?.[1];
  if (unit !== undefined) return instants(raw, unit, form);
  if (dtype === "Date") return raw.str.strptime(pl.Date, "%Y-%m-%d");
  // not strict: what is out of range becomes null, and a misfit
  return raw.cast(dtypeOf(dtype), false);
}

const PER_SECOND: Readonly<Record<string, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 };

/** Numbers are counts of the column's unit since the epoch; text is ISO 8601 (or a number). `Datetime(s)` arrives as `Datetime(ms)`. */
function instants(raw: pl.Series, unit: string, form: InstantForm): pl.Series {
  const dtype = pl.Datetime(unit === "s" ? "ms" : (unit as "ms"));
  const scale = unit === "s" ? 1000 : 1;
  if (form === "Int64") {
    // seconds are far below 2^53, so the way over a double is exact; eager calls, since a query costs more than this
    return (scale === 1 ? raw : raw.cast(pl.Float64).mul(scale).cast(pl.Int64)).cast(dtype);
  }
  // ISO 8601 in UTC is read by Polars; whatever it leaves null is looked at one by one
  // nodejs-polars' strptime takes milliseconds only, and gives microseconds
  const parsed = raw.str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S%.fZ").cast(dtype);
  if (parsed.nullCount() === raw.nullCount()) return parsed;
  const perMillisecond = PER_SECOND[unit === "s" ? "ms" : unit]! / 1000;
  const texts = raw.toArray() as (string | null)[];
  const counts = texts.map((text) => {
    if (text === null) return null;
    if (/^-?\d+(\.\d+)?$/.test(text)) return Math.floor(Number(text) * scale);
    const instant = parseInstant(text);
    return instant === undefined ? null : instant * perMillisecond;
  });
  return pl.Series(raw.name, counts, pl.Float64).cast(pl.Int64).cast(dtype);
}

const show = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
};
