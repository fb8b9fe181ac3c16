import pl from "nodejs-polars";
import type { RowAggregates } from "./aggregate-plan.ts";
import { columns } from "./exprs.ts";
import type { PartialColumn } from "./partial-aggregate.ts";

/** The rows of a group as lists beside its partial aggregates: for groups that merge, or that hold few rows. */
export interface RowLists {
  /** A list per column, and one of the places of the rows (`§place`). */
  readonly partials: readonly PartialColumn[];
  /** Their dtypes, by label. */
  readonly state: Readonly<Record<string, string>>;
  /** Groups with the aggregates that need all of their rows. */
  evaluate(groups: pl.DataFrame, identity: readonly string[]): pl.DataFrame;
}

const PLACES = "_places";

export function rowLists(rows: RowAggregates | undefined): RowLists {
  if (rows === undefined) return { partials: [], state: {}, evaluate: (groups) => groups };
  const names = rows.columns.map((_, i) => `§list_${i}`);
  const list = (name: string, label: string, of: string): PartialColumn => ({
    name,
    label,
    partial: pl.col(of).alias(name),
    merge: pl.col(name).explode().alias(name),
  });
  const back = rows.columns.map((column, i) => pl.col(names[i]!).alias(column));
  return {
    partials: [
      list("§places", PLACES, "§place"),
      ...rows.columns.map((column, i) => list(names[i]!, rows.stored[i]!, column)),
    ],
    state: {
      [PLACES]: "List(Int64)",
      ...Object.fromEntries(rows.stored.map((stored) => [stored, `List(${rows.schema[stored]})`])),
    },
    evaluate(groups, identity) {
      const values = groups
        .select(...columns([...identity, "§places", ...names]))
        .explode(["§places", ...names] as never)
        .sort("§places")
        .lazy()
        .select(...columns(identity), ...back)
        .groupBy(columns(identity))
        .agg(...rows.aggregates)
        .collectSync();
      return groups.join(values, { on: [...identity], how: "left", nullsEqual: true } as never) as pl.DataFrame;
    },
  };
}
