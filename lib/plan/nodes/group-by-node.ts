import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Aggregates per key over everything so far. */
export interface GroupByNode {
  readonly kind: "groupBy";
  readonly input: PlanNode;
  readonly by: readonly ExprTree[];
  readonly aggs: readonly ExprTree[];
  /** A key is forgotten this long after its last row, in milliseconds of event time. */
  readonly ttl?: number;
}

export function groupByNode(options: Omit<GroupByNode, "kind">): GroupByNode {
  return Object.freeze({ kind: "groupBy", ...options });
}
