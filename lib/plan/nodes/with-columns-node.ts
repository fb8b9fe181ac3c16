import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Adds columns, or replaces those of the same name. */
export interface WithColumnsNode {
  readonly kind: "withColumns";
  readonly input: PlanNode;
  readonly exprs: readonly ExprTree[];
  /** How long state per key is kept after its last row, in milliseconds of event time; without it for ever. */
  readonly ttl?: number;
}

export function withColumnsNode(options: Omit<WithColumnsNode, "kind">): WithColumnsNode {
  return Object.freeze({ kind: "withColumns", ...options });
}
