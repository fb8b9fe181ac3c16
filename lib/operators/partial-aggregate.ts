import pl from "nodejs-polars";
import type { Aggregate, Extreme } from "../plan/analysis/aggregates.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import type { CallTree, ExprTree } from "../plan/tree.ts";
import type { DTypeName } from "../schema.ts";

/** One value kept per key and window. */
export interface PartialColumn {
  readonly name: string;
  /** Readable, for the state's SQL. */
  readonly label: string;
  /** Over the rows of a batch that fall into the window. */
  readonly partial: pl.Expr;
  /** Over the partial values of the window, earlier ones first. */
  readonly merge: pl.Expr;
  /**
   * Where the merge depends on which part came first: the same over parts in any order, by the places `§first` and `§last` of their first
   * and last rows. `undefined` says that the order does not matter; `"rows"` that the places of single rows decide.
   */
  readonly anyOrder?: pl.Expr | "rows";
  /** What `partial` is, where that is something simple of a column of numbers as it is. */
  readonly simple?: SimpleAggregate;
}

export interface SimpleAggregate {
  /** Of all rows `rows`, whatever the column; `squares` are those of the differences from the mean. */
  readonly take: "rows" | "sum" | "min" | "max" | "first" | "last" | "mean" | "squares";
  readonly column: string | undefined;
}

/** An aggregate as partial values that merge. */
export interface PartialAggregate {
  readonly columns: readonly PartialColumn[];
  /** The aggregate, over the merged values. */
  readonly result: pl.Expr;
}

const NUMERIC = /^(U?Int(8|16|32|64)|Float(32|64)|Boolean)$/;

/**
 * How an aggregate is computed in parts: or undefined where it is not (a mean of datetimes), and the window keeps its rows.
 * @param dtype of what is aggregated
 */
export function partialAggregate(aggregate: Aggregate, dtype: DTypeName | undefined): PartialAggregate | undefined {
  const { column, tree, extreme } = aggregate;
  if (aggregate.keeps !== "value") return undefined;
  if (extreme !== undefined) return whereExtreme(column, extreme);
  if (tree.kind !== "call") {
    const rows = { take: "rows", column: undefined } as const;
    return single(
      column,
      "rows",
      replay(tree),
      (name) => pl.col(name).sum(),
      tree.kind === "function" && tree.fn === "len" ? rows : undefined,
    );
  }
  const simple = simpleOf(tree.self, dtype);
  const argument = replay(tree.self);
  const label = labelOf(tree.self);
  switch (tree.fn) {
    case "count":
    case "nullCount":
      return single(
        column,
        `${label}_${tree.fn}`,
        replay(tree),
        (name) => pl.col(name).sum(),
        tree.fn === "count" ? simple("rows") : undefined,
      );
    case "mean":
      return NUMERIC.test(dtype ?? "") ? mean(column, label, argument, simple) : undefined;
    case "var":
    case "std":
      return NUMERIC.test(dtype ?? "") ? variance(column, label, argument, tree.fn, simple) : undefined;
    case "first":
    case "last": {
      const places = `§${tree.fn}`;
      const again = (of: pl.Expr): pl.Expr => (tree.fn === "first" ? of.first() : of.last());
      return {
        columns: [
          {
            name: column,
            label: `${label}_${tree.fn}`,
            partial: again(argument).alias(column),
            merge: again(pl.col(column)).alias(column),
            anyOrder: again(pl.col(column).sortBy(pl.col(places))).alias(column),
            ...simply(simple(tree.fn)),
          },
        ],
        result: pl.col(column),
      };
    }
    default:
      // sum, product, min, max, any, all: the same again over the parts
      return single(
        column,
        `${label}_${tree.fn}`,
        replay(tree),
        (name) => replay({ ...tree, self: { kind: "col", name } }),
        tree.fn === "min" || tree.fn === "max" || (tree.fn === "sum" && /^Float/.test(dtype!))
          ? simple(tree.fn)
          : undefined,
      );
  }
}

/** Names what is taken of a column, where the argument is one of numbers. */
function simpleOf(argument: ExprTree, dtype: DTypeName | undefined) {
  const plain = argument.kind === "col" && /^(U?Int|Float)\d+$|^Datetime\(ms\)$/.test(dtype ?? "");
  return (take: SimpleAggregate["take"]): SimpleAggregate | undefined =>
    plain ? { take, column: argument.name } : undefined;
}

type Simple = ReturnType<typeof simpleOf>;

const simply = (simple: SimpleAggregate | undefined): Pick<PartialColumn, "simple"> =>
  simple === undefined ? {} : { simple };

function single(
  column: string,
  label: string,
  partial: pl.Expr,
  merge: (name: string) => pl.Expr,
  simple: SimpleAggregate | undefined,
): PartialAggregate {
  return {
    columns: [
      { name: column, label, partial: partial.alias(column), merge: merge(column).alias(column), ...simply(simple) },
    ],
    result: pl.col(column),
  };
}

/** The extreme value so far and what was asked for beside it. */
function whereExtreme(column: string, { of, by, end, take }: Extreme): PartialAggregate {
  const extreme = `${column}_${end}`;
  const label = `${labelOf(of)}_at_${end}_of_${labelOf(by)}`;
  const largest = (values: pl.Expr): pl.Expr => (end === "max" ? values.max() : values.min());
  const there = (values: pl.Expr, sizes: pl.Expr): pl.Expr => {
    const kept = values.filter(sizes.eq(largest(sizes)));
    return take === "first" ? kept.first() : kept.last();
  };
  return {
    columns: [
      {
        name: extreme,
        label: `${labelOf(by)}_${end}`,
        partial: largest(replay(by)).alias(extreme),
        merge: largest(pl.col(extreme)).alias(extreme),
      },
      {
        name: column,
        label,
        partial: there(replay(of), replay(by)).alias(column),
        merge: there(pl.col(column), pl.col(extreme)).alias(column),
        anyOrder: "rows",
      },
    ],
    result: pl.col(column),
  };
}

/** Sum and count. */
function mean(column: string, label: string, argument: pl.Expr, simple: Simple): PartialAggregate {
  const sum = `${column}_sum`;
  const count = `${column}_count`;
  return {
    columns: [
      added(sum, `${label}_sum`, argument.cast(pl.Float64).sum(), simple("sum")),
      added(count, `${label}_count`, argument.count(), simple("rows")),
    ],
    result: pl
      .when(pl.col(count).gt(pl.lit(0)))
      .then(pl.col(sum).div(pl.col(count)))
      .otherwise(NULL),
  };
}

/** Count, mean and the sum of squared differences from it; merged as in Chan, Golub and LeVeque (1979). */
function variance(
  column: string,
  label: string,
  argument: pl.Expr,
  fn: "var" | "std",
  simple: Simple,
): PartialAggregate {
  const values = argument.cast(pl.Float64);
  const [count, average, squares] = [`${column}_count`, `${column}_mean`, `${column}_m2`] as const;
  const total = pl.col(count).sum().cast(pl.Float64);
  // a group without a value so far has no mean to weigh: zero stands for it, not 0 / 0
  const merged = pl
    .when(total.gt(pl.lit(0)))
    .then(pl.col(count).cast(pl.Float64).multiplyBy(pl.col(average)).sum().div(total))
    .otherwise(pl.lit(0));
  const between = pl.col(count).cast(pl.Float64).multiplyBy(pl.col(average).minus(merged).pow(2)).sum();
  const result = pl.col(squares).div(pl.col(count).cast(pl.Float64).minus(pl.lit(1)));
  return {
    columns: [
      added(count, `${label}_count`, values.count(), simple("rows")),
      {
        name: average,
        label: `${label}_mean`,
        partial: values.mean().alias(average),
        merge: merged.alias(average),
        ...simply(simple("mean")),
      },
      {
        name: squares,
        label: `${label}_m2`,
        partial: values
          .var()
          .multiplyBy(values.count().cast(pl.Float64).minus(pl.lit(1)))
          .fillNull(pl.lit(0))
          .alias(squares),
        merge: pl.col(squares).sum().plus(between).alias(squares),
        ...simply(simple("squares")),
      },
    ],
    result: pl
      .when(pl.col(count).gt(pl.lit(1)))
      .then(fn === "var" ? result : result.pow(0.5))
      .otherwise(NULL),
  };
}

const NULL = pl.lit(null as unknown as number).cast(pl.Float64);

function added(name: string, label: string, partial: pl.Expr, simple: SimpleAggregate | undefined): PartialColumn {
  return { name, label, partial: partial.alias(name), merge: pl.col(name).sum().alias(name), ...simply(simple) };
}

/** A readable name for an expression, for the state. */
export function labelOf(tree: ExprTree): string {
  if (tree.kind === "col") return tree.name;
  return print(tree)
    .replace(/[^\w]+/g, "_")
    .replace(/^_?pl_|_+$/g, "")
    .slice(0, 40);
}

/** What is aggregated; undefined for `pl.len()`. */
export function aggregated(tree: ExprTree): ExprTree | undefined {
  return tree.kind === "call" ? (tree as CallTree).self : undefined;
}
