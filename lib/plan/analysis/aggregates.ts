import { colTree, type ExprTree, mapChildren, someTree } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";

/** An aggregate taken out of its expression and computed as a column of its own. */
export interface Aggregate {
  /** The column that stands for it. */
  readonly column: string;
  readonly tree: ExprTree;
  /** Whether values for parts of the rows merge into the value for all; otherwise the window keeps its rows. */
  readonly merges: boolean;
}

/** Splits expressions of `agg` at their aggregates; what is left computes on one row per window. They must have been checked. */
export function splitAggregates(exprs: readonly ExprTree[]): { aggregates: Aggregate[]; exprs: ExprTree[] } {
  const aggregates = new Map<string, Aggregate>();
  const hoist = (tree: ExprTree): ExprTree => {
    const meaning = meaningOf(tree);
    if (meaning.is !== "aggregate" && meaning.is !== "collected") return mapChildren(tree, hoist);
    const key = JSON.stringify(tree);
    let aggregate = aggregates.get(key);
    if (aggregate === undefined) {
      aggregate = {
        column: `§agg_${aggregates.size}`,
        tree,
        merges: meaning.is === "aggregate" && !(takesByPlace(tree) && isNarrowed(tree)),
      };
      aggregates.set(key, aggregate);
    }
    return colTree(aggregate.column);
  };
  const rest = exprs.map(hoist);
  return { aggregates: [...aggregates.values()], exprs: rest };
}

/** `first` and `last` of no rows is null, like that of a row that holds null: parts of narrowed rows do not tell them apart. */
function takesByPlace(tree: ExprTree): boolean {
  return tree.kind === "call" && (tree.fn === "first" || tree.fn === "last");
}

function isNarrowed(tree: ExprTree): boolean {
  return someTree(tree, (part) => meaningOf(part).is === "narrowing");
}
