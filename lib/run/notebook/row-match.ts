import pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import { columnRemedies } from "../../plan/analysis/unknown-column.ts";
import type { Schema } from "../../schema.ts";

/** Values of some columns of a row, as they are compared. */
export type WantedRow = ReadonlyMap<string, string | number | boolean | null>;

/** Numbers may differ by this much: sums of the same numbers in another order do. */
const RELATIVE = 1e-9;

/** @throws Refusal `UNKNOWN_COLUMN`, `BAD_OPTION` for an empty row */
export function wantedRow(row: Readonly<Record<string, unknown>>, schema: Schema): WantedRow {
  const given = Object.entries(row ?? {});
  if (given.length === 0)
    throw new Refusal({
      code: "BAD_OPTION",
      what: "trace was given no row",
      where: "trace",
      remedies: [
        "a row of the frame: trace(df.toRecords()[0])",
        'or the columns that tell it: trace({ device: "a", n: 3 })',
      ],
    });
  for (const [name] of given)
    if (!Object.hasOwn(schema, name))
      throw new Refusal({
        code: "UNKNOWN_COLUMN",
        what: `there is no column "${name}" here`,
        where: "trace",
        remedies: columnRemedies(name, Object.keys(schema)),
      });
  return new Map(given.map(([name, value]) => [name, comparable(value, schema[name]!)]));
}

/** Whether a frame has a row with these values. */
export function hasRow(frame: pl.DataFrame, wanted: WantedRow): boolean {
  let left = frame;
  for (const [name, value] of wanted) {
    if (left.height === 0) return false;
    const { variant } = left.getColumn(name).dtype;
    const column = pl.col(name);
    if (value === null) left = left.filter(column.isNull());
    else if (/^(List|Struct|Array)$/.test(variant)) {
      const texts = left
        .select(name)
        .toRecords()
        .map((record) => comparable(record[name], variant));
      left = left.filter(
        pl.Series(
          "same",
          texts.map((text) => text === value),
          pl.Bool,
        ),
      );
    } else if (typeof value === "number") {
      const cell = /^(Datetime|Date|Duration|Time)$/.test(variant)
        ? column.cast(pl.Datetime("ms")).cast(pl.Int64).cast(pl.Float64)
        : column.cast(pl.Float64);
      left = Number.isNaN(value)
        ? left.filter(cell.isNan())
        : left.filter(
            cell
              .minus(pl.lit(value))
              .abs()
              .ltEq(pl.lit(Math.abs(value) * RELATIVE)),
          );
    } else
      left = left.filter(
        typeof value === "boolean" ? column.eq(pl.lit(value)) : column.cast(pl.Utf8).eq(pl.lit(value)),
      );
  }
  return left.height > 0;
}

function comparable(value: unknown, dtype: string): string | number | boolean | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Date) return value.getTime();
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "string" && dtype.startsWith("Date"))
    return Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`);
  if (typeof value === "object")
    return JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each));
  return value as string | number | boolean;
}
