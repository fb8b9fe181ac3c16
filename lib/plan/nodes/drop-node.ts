import type { PlanNode } from "./plan-node.ts";

/** Leaves columns out. */
export interface DropNode {
  readonly kind: "drop";
  readonly input: PlanNode;
  readonly columns: readonly string[];
}

export function dropNode(options: Omit<DropNode, "kind">): DropNode {
  return Object.freeze({ kind: "drop", ...options });
}
