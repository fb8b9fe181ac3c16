import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Exactly these columns, in this order. */
export interface SelectNode {
  readonly kind: "select";
  readonly input: PlanNode;
  readonly exprs: readonly ExprTree[];
  /** How long state per key is kept after its last row, in milliseconds of event time; without it for ever. */
  readonly ttl?: number;
}

export function selectNode(options: Omit<SelectNode, "kind">): SelectNode {
  return Object.freeze({ kind: "select", ...options });
}
