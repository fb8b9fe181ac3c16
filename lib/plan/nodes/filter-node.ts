import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Keeps the rows for which the predicate is true. */
export interface FilterNode {
  readonly kind: "filter";
  readonly input: PlanNode;
  readonly predicate: ExprTree;
}

export function filterNode(options: Omit<FilterNode, "kind">): FilterNode {
  return Object.freeze({ kind: "filter", ...options });
}
