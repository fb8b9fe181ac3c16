import type { PlanNode } from "./plan-node.ts";

/** One row per item of a list; a row without items stays once, with null. */
export interface ExplodeNode {
  readonly kind: "explode";
  readonly input: PlanNode;
  readonly column: string;
}

export function explodeNode(options: Omit<ExplodeNode, "kind">): ExplodeNode {
  return Object.freeze({ kind: "explode", ...options });
}
