import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Keeps the rows for which the predicate is true. */
export interface FilterNode {
  readonly kind: "filter";
  readonly input: PlanNode;
  readonly predicate: ExprTree;
  /** How long state per key is kept after its last row, in milliseconds of event time; without it for ever. */
  readonly ttl?: number;
}

export function filterNode(options: Omit<FilterNode, "kind">): FilterNode {
  return Object.freeze({ kind: "filter", ...options });
}
