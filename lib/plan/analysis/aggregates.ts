import { argTree, type CallTree, childrenOf, colTree, type ExprTree, mapChildren, someTree } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";
import { needsWholeWindow } from "./within-window.ts";

/** An aggregate taken out of its expression and computed as a column of its own. */
export interface Aggregate {
  /** The column that stands for it. */
  readonly column: string;
  readonly tree: ExprTree;
  /**
   * What has to be kept for it until its window closes. `value`: values for parts of the rows merge into the value for all.
   * `distinct`: each different value once. `rows`: every row.
   */
  readonly keeps: "value" | "distinct" | "rows";
  /** `a.filter(b.eq(b.max())).first()`: the value of `a` in the first or last row where `b` is largest or smallest. */
  readonly extreme?: Extreme;
}

/** Where another column is extreme. */
export interface Extreme {
  readonly of: ExprTree;
  readonly by: ExprTree;
  readonly end: "max" | "min";
  readonly take: "first" | "last";
}

/** Splits expressions of `agg` at their aggregates; what is left computes on one row per window. They must have been checked. */
export function splitAggregates(exprs: readonly ExprTree[]): { aggregates: Aggregate[]; exprs: ExprTree[] } {
  const aggregates = new Map<string, Aggregate>();
  const hoist = (tree: ExprTree): ExprTree => {
    if (hasManyValues(tree)) return hoisted(tree, { keeps: "rows" });
    const { is } = meaningOf(tree);
    if (is !== "aggregate" && is !== "collected") return mapChildren(tree, hoist);
    // the sum of a literal is the literal, however many rows there are: parts of it must not be added up
    if (isConstant(tree)) return tree;
    const extreme = extremeOf(tree);
    return hoisted(tree, extreme === undefined ? { keeps: keeps(tree) } : { keeps: "value", extreme });
  };
  const hoisted = (tree: ExprTree, kept: Pick<Aggregate, "keeps" | "extreme">): ExprTree => {
    const key = JSON.stringify(tree);
    let aggregate = aggregates.get(key);
    if (aggregate === undefined) {
      aggregate = { column: `§agg_${aggregates.size}`, tree, ...kept };
      aggregates.set(key, aggregate);
    }
    return colTree(aggregate.column);
  };
  const rest = exprs.map(hoist);
  return { aggregates: [...aggregates.values()], exprs: rest };
}

/** Whether an expression has a value per row of the window, or another list of them: then its result is that list. */
function hasManyValues(tree: ExprTree): boolean {
  if (tree.kind === "col") return true;
  if (tree.kind === "lit") return false;
  if (needsWholeWindow(tree)) return true;
  switch (meaningOf(tree).is) {
    case "aggregate":
    case "collected":
      return false;
    case "row-wise":
      return tree.kind === "call" && tree.fn === "list.eval"
        ? hasManyValues(tree.self)
        : childrenOf(tree).some(hasManyValues);
    default:
      return true;
  }
}

/** An aggregate of literals only; `len` counts rows. */
function isConstant(tree: ExprTree): boolean {
  if (tree.kind !== "call") return false;
  return !someTree(
    tree,
    (part) => part.kind === "col" || (part.kind === "function" && meaningOf(part).is !== "row-wise"),
  );
}

function keeps(tree: ExprTree): Aggregate["keeps"] {
  const plain = !childrenOf(tree).some((child) => someTree(child, dependsOnOtherRows));
  const { is } = meaningOf(tree);
  if (plain && tree.kind === "call" && tree.fn === "nUnique") return "distinct";
  // `first` and `last` of no rows is null, like that of a row that holds null: parts of narrowed rows do not tell them apart
  return plain && is === "aggregate" && !(takesByPlace(tree) && isNarrowed(tree)) ? "value" : "rows";
}

function dependsOnOtherRows(tree: ExprTree): boolean {
  const { is } = meaningOf(tree);
  return is === "aggregate" || is === "collected" || needsWholeWindow(tree);
}

function takesByPlace(tree: ExprTree): tree is CallTree {
  return tree.kind === "call" && (tree.fn === "first" || tree.fn === "last");
}

function isNarrowed(tree: ExprTree): boolean {
  return someTree(tree, (part) => meaningOf(part).is === "narrowing");
}

const EQUALS = new Set(["eq", "equals"]);

/** Recognises `of.filter(by.eq(by.max())).first()`. */
function extremeOf(tree: ExprTree): Extreme | undefined {
  if (!takesByPlace(tree) || tree.args.length > 0) return undefined;
  const filtered = tree.self;
  if (filtered.kind !== "call" || filtered.fn !== "filter") return undefined;
  const condition = argTree(filtered.args[0]);
  if (condition?.kind !== "call" || !EQUALS.has(condition.fn)) return undefined;
  const extreme = argTree(condition.args[0]);
  if (extreme?.kind !== "call" || (extreme.fn !== "max" && extreme.fn !== "min")) return undefined;
  const [of, by] = [filtered.self, condition.self];
  if (JSON.stringify(extreme.self) !== JSON.stringify(by)) return undefined;
  if ([of, by].some((part) => !hasManyValues(part) || isNarrowed(part) || someTree(part, dependsOnOtherRows)))
    return undefined;
  return { of, by, end: extreme.fn, take: tree.fn as "first" | "last" };
}
