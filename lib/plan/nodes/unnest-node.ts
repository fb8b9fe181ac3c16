import type { PlanNode } from "./plan-node.ts";

/** The fields of structs as columns in their place. */
export interface UnnestNode {
  readonly kind: "unnest";
  readonly input: PlanNode;
  readonly columns: readonly string[];
}

export function unnestNode(options: Omit<UnnestNode, "kind">): UnnestNode {
  return Object.freeze({ kind: "unnest", ...options });
}
