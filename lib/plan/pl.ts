import polars from "nodejs-polars";
import { recordArgs, recorded, treeOf } from "./record.ts";
import { type Arg, callTree, colTree, type ExprTree } from "./tree.ts";

/**
 * nodejs-polars itself, with the same names and types; the expressions it builds also remember the calls that made them, so that
 * a plan can hold them as data. They work in every nodejs-polars function as they are.
 */
export const pl: typeof polars = Object.assign({}, polars);

type Build = (...args: any[]) => unknown;
const real = polars as unknown as Record<string, Build>;
const target = pl as unknown as Record<string, unknown>;

/** Free functions whose calls are kept as they are. */
const FUNCTIONS = [
  "cols",
  "nth",
  "all",
  "exclude",
  "element",
  "len",
  "struct",
  "concatList",
  "concatString",
  "format",
  "allHorizontal",
  "anyHorizontal",
  "minHorizontal",
  "maxHorizontal",
  "sumHorizontal",
  "intRange",
  "intRanges",
  "argSortBy",
  "cov",
  "pearsonCorr",
  "spearmanRankCorr",
];

/** Free functions that stand for a method: `pl.mean("x")` is `pl.col("x").mean()`. */
const METHODS: Readonly<Record<string, string>> = {
  avg: "mean",
  mean: "mean",
  median: "median",
  nUnique: "nUnique",
  quantile: "quantile",
  count: "count",
  first: "first",
  last: "last",
  head: "head",
  tail: "tail",
  list: "implode",
};

function define(name: string, treeFor: (args: unknown[]) => ExprTree): void {
  const build = real[name]!;
  target[name] = (...args: unknown[]): unknown => {
    const result = build(...args);
    return polars.Expr.isExpr(result) ? recorded(result as polars.Expr, treeFor(args)) : result;
  };
}

for (const fn of FUNCTIONS) define(fn, (args) => ({ kind: "function", fn, args: recordArgs(`pl.${fn}`, args) }));

define("col", (args) => columnTree(args[0]));
define("lit", ([value]) => ({ kind: "lit", value: recordArgs("pl.lit", [value])[0] as Arg }));
for (const [name, fn] of Object.entries(METHODS)) {
  define(name, ([column, ...rest]) =>
    column === undefined
      ? { kind: "function", fn: name, args: [] }
      : callTree(
          fn,
          polars.Expr.isExpr(column) ? treeOf(column as polars.Expr) : columnTree(column),
          ...recordArgs(fn, rest),
        ),
  );
}

function columnTree(name: unknown): ExprTree {
  const exact = typeof name === "string" && name !== "*" && !(name.startsWith("^") && name.endsWith("$"));
  if (exact) return colTree(name);
  return { kind: "function", fn: "col", args: recordArgs("pl.col", [name]) };
}

interface Branch {
  readonly condition: ExprTree;
  readonly value: ExprTree;
}

target.when = (predicate: polars.Expr) => when(polars.when(predicate), treeOf(predicate), []);

/** The chain of `when`, `then`, `otherwise`; nodejs-polars' objects of these names beside what was said so far. */
function when(chain: any, predicate: ExprTree, before: readonly Branch[]): unknown {
  return {
    // biome-ignore lint/suspicious/noThenProperty: Polars' own name
    then: (value: polars.Expr) => then(chain.then(value), [...before, { condition: predicate, value: treeOf(value) }]),
  };
}

function then(chain: any, branches: readonly Branch[]): unknown {
  return {
    when: (predicate: polars.Expr) => when(chain.when(predicate), treeOf(predicate), branches),
    otherwise: (value: polars.Expr) =>
      recorded(chain.otherwise(value), { kind: "when", branches, otherwise: treeOf(value) }),
  };
}

target.pl = pl;
target.default = pl;
