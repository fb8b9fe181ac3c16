import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Exactly these columns, in this order. */
export interface SelectNode {
  readonly kind: "select";
  readonly input: PlanNode;
  readonly exprs: readonly ExprTree[];
}

export function selectNode(options: Omit<SelectNode, "kind">): SelectNode {
  return Object.freeze({ kind: "select", ...options });
}
