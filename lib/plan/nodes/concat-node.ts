import type { PlanNode } from "./plan-node.ts";

/** The rows of several frames of the same columns, in the order of reading. */
export interface ConcatNode {
  readonly kind: "concat";
  readonly input: PlanNode;
  readonly others: readonly PlanNode[];
}

export function concatNode(options: Omit<ConcatNode, "kind">): ConcatNode {
  return Object.freeze({ kind: "concat", ...options });
}
