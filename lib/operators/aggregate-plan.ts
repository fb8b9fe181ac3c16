import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { splitAggregates } from "../plan/analysis/aggregates.ts";
import { checkAggs, type Place } from "../plan/analysis/check.ts";
import { expand } from "../plan/analysis/expand.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import { columnsOf, type ExprTree } from "../plan/tree.ts";
import { dtypeOf, emptyFrame, type Schema, schemaOf } from "../schema.ts";
import type { Compiled } from "./compile.ts";
import { type CompiledExprs, compileExprs, outcome } from "./compile-exprs.ts";
import { unique } from "./exprs.ts";
import { checkCoPartitioned } from "./lineage.ts";
import { nullRow } from "./null-row.ts";
import { aggregated, labelOf, type PartialColumn, partialAggregate } from "./partial-aggregate.ts";

/** An aggregate that counts different values: each value is kept once, and their number goes on by adding. */
export interface DistinctAggregate {
  /** The partial column that holds the number. */
  readonly column: string;
  readonly label: string;
  /** The different values of a group, as a list `§value`. */
  readonly values: pl.Expr;
  readonly dtype: string;
}

/** Aggregates that need every row. */
export interface RowAggregates {
  /** Columns of the input whose rows are kept, and their names in the state. */
  readonly columns: readonly string[];
  readonly stored: readonly string[];
  readonly schema: Schema;
  readonly aggregates: readonly pl.Expr[];
  /** As they were written. */
  readonly trees: readonly ExprTree[];
}

/** The aggregates of an `agg`, split into what is kept per group and what is computed of it. */
export interface AggregatePlan {
  /** The input's columns that they read. */
  readonly inputs: readonly string[];
  readonly partials: readonly PartialColumn[];
  readonly distinct: readonly DistinctAggregate[];
  readonly rows: RowAggregates | undefined;
  /** Aggregates from merged partial values; then the columns of the result from aggregates. */
  readonly results: readonly pl.Expr[];
  readonly outputs: readonly pl.Expr[];
  /** The same over all rows of a group at once. */
  readonly whole: readonly pl.Expr[];
  /** Of the results. */
  readonly schema: Schema;
  /** Of the partial values, under their labels. */
  readonly state: Schema;
}

export interface AggregateOptions {
  /** Names that the group's own columns have: results must not be called so. */
  readonly reserved: readonly string[];
  /** Names taken in the state. */
  readonly taken: readonly string[];
  /**
   * Whether rows reach a group in the order in which they came. Where groups of rows merge out of order (sessions), what depends on the
   * place of single rows keeps them all.
   */
  readonly inOrder: boolean;
  /** Whether different values are kept once, in a table of their own; otherwise what counts them keeps its rows. */
  readonly distinct: boolean;
}

/**
 * Works out the aggregates of a verb over rows of this input.
 * @throws Refusal for aggregates that have no exact meaning, that Polars refuses, or whose name is taken
 */
export function aggregatePlan(
  aggs: readonly ExprTree[],
  by: CompiledExprs,
  input: Compiled,
  { reserved, taken, inOrder, distinct: sets }: AggregateOptions,
): AggregatePlan {
  const values = Object.fromEntries(Object.entries(input.schema).filter(([name]) => !by.names.includes(name)));
  const trees = aggs.flatMap((agg) => expand(agg, values));
  const place: Place = { verb: "agg", input: input.node };
  for (const tree of trees) checkColumns(columnsOf(tree), input.schema, `agg: ${print(tree)}`);
  checkAggs(trees, place);
  const empty = emptyFrame(input.schema);
  const grouping = by.trees.length > 0 ? by.trees.map((tree) => replay(tree)) : [pl.col("_partition")];
  const made = trees.map((tree) => {
    const over = (rows: pl.DataFrame) => outcome(tree, () => rows.groupBy(grouping as any).agg(replay(tree)), place);
    const found = over(empty);
    // what picks rows has no dtype where there are none to pick
    return found.dtype.includes("Null") ? over(oneRow(empty)) : found;
  });
  checkNames([...reserved, ...made.map(({ name }) => name)]);

  const split = splitAggregates(trees);
  const partials: PartialColumn[] = [];
  const distinct: DistinctAggregate[] = [];
  const results: pl.Expr[] = [];
  const rows: { tree: ExprTree; column: string }[] = [];
  for (const aggregate of split.aggregates) {
    const { column, tree } = aggregate;
    if (aggregate.keeps === "distinct" && sets) {
      const argument = aggregated(tree)!;
      const label = `${labelOf(argument)}_n_unique`;
      partials.push({
        name: column,
        label,
        partial: NONE_YET.alias(column),
        merge: pl.col(column).sum().alias(column),
      });
      const list = replay(argument).unique().alias("§value");
      const dtype = outcome(argument, () => empty.groupBy("_partition").agg(list).explode("§value"), place).dtype;
      distinct.push({ column, label: `${label}_values`, values: list, dtype });
      results.push(pl.col(column));
      continue;
    }
    const argument = aggregated(tree);
    const dtype = argument && outcome(argument, () => empty.select(replay(argument)), place).dtype;
    const partial = aggregate.extreme !== undefined && !inOrder ? undefined : partialAggregate(aggregate, dtype);
    if (partial === undefined) {
      rows.push({ tree, column });
    } else {
      partials.push(...partial.columns);
      results.push(partial.result.alias(column));
    }
  }

  const labels = unique(
    partials.map(({ label }) => label),
    taken,
  );
  const labelled = partials.map((partial, i) => ({ ...partial, label: labels[i]! }));
  const state = schemaOf(empty.groupBy("_partition").agg(pl.len(), ...partials.map(({ partial }) => partial)));
  const columns = [...new Set(rows.flatMap(({ tree }) => columnsOf(tree)))];
  const stored = unique(
    columns.map((_, i) => `value_${i}`),
    [...taken, ...labels],
  );
  return {
    inputs: [...new Set(trees.flatMap(columnsOf))],
    partials: labelled,
    distinct,
    rows:
      rows.length === 0
        ? undefined
        : {
            columns,
            stored,
            schema: Object.fromEntries(columns.map((column, i) => [stored[i]!, input.schema[column]!])),
            aggregates: rows.map(({ tree, column }) => replay(tree).alias(column)),
            trees: rows.map(({ tree }) => tree),
          },
    results,
    outputs: split.exprs.map((tree, i) => replay(tree).cast(dtypeOf(made[i]!.dtype)).alias(made[i]!.name)),
    whole: trees.map((tree, i) => replay(tree).alias(made[i]!.name)),
    schema: Object.fromEntries(made.map(({ name, dtype }) => [name, dtype])),
    state: Object.fromEntries(labelled.map(({ name, label }) => [label, state[name]!])),
  };
}

/** A row of ones, or of what comes next to them. */
function oneRow(empty: pl.DataFrame): pl.DataFrame {
  return nullRow(empty).withColumns(
    ...empty.columns
      .filter((_, i) => NUMERIC.test(String(empty.dtypes[i]!.variant)))
      .map((name) => pl.col(name).fillNull(pl.lit(1))),
  );
}

const NUMERIC = /^(U?Int|Float)\d+$/;

/** The number of different values starts from none; those of a batch are added where it is known which are new. */
const NONE_YET = pl.len().minus(pl.len()).cast(pl.UInt32);

/**
 * The keys of a verb that groups rows.
 * @throws Refusal `NOT_BUILT` for keys with state of their own, `NEEDS_REPARTITION`, and as `compileExprs`
 */
export function groupingKeys(by: readonly ExprTree[], input: Compiled, verb: string): CompiledExprs {
  const compiled = compileExprs(by, input.schema, { verb, input: input.node });
  if (compiled.stages.length > 0)
    throw new Refusal({
      code: "NOT_BUILT",
      what: `a key of ${verb} that depends on earlier rows is not built`,
      where: verb,
      remedies: ["compute it in a withColumns before, and use that column"],
    });
  checkCoPartitioned(compiled.trees, input.lineage, `${verb} by ${compiled.trees.map(print).join(", ") || "nothing"}`);
  return compiled;
}

/** What a verb that groups rows uses of its input: what keys and aggregates name, what else these read, and columns of its own. */
export function groupUses(
  trees: readonly ExprTree[],
  aggregates: AggregatePlan,
  own: readonly string[],
): Compiled["used"] {
  return () => new Set([...trees.flatMap(columnsOf), ...aggregates.inputs, ...own]);
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new Refusal({
    code: "DUPLICATE_COLUMN",
    what: `two columns of the groups would be named "${twice}"`,
    where: "agg",
    remedies: [`name the aggregate: .alias("${twice}_…")`],
  });
}
