import pl from "nodejs-polars";
import { columns } from "./exprs.ts";

const CODE = pl.intRange(0, pl.len()).cast(pl.Float64).alias("§code");

/** Numbers for the combinations of keys in a batch, per row; and the combinations, with their numbers as `§code`. Null is a key like others. */
export function keyCodes(rows: pl.DataFrame, keys: readonly string[]): { codes: Float64Array; distinct: pl.DataFrame } {
  if (keys.length === 0) return { codes: new Float64Array(rows.height), distinct: rows.head(0).select() };
  const distinct = rows
    .lazy()
    .groupBy(columns(keys))
    .agg(pl.len().alias("§len"))
    .drop("§len")
    .withColumns(CODE)
    .collectSync();
  if (rows.height === 0) return { codes: new Float64Array(), distinct };
  const numbered = rows
    .select(...keys)
    .join(distinct, { on: [...keys], how: "left", nullsEqual: true }) as pl.DataFrame;
  return { codes: numbered.getColumn("§code").toTypedArray(), distinct };
}
