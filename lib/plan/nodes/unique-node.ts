import type { PlanNode } from "./plan-node.ts";

/** The first row of each combination of values, and again once it is `within` old. */
export interface UniqueNode {
  readonly kind: "unique";
  readonly input: PlanNode;
  /** Columns that are compared. */
  readonly subset: readonly string[];
  /** Milliseconds of event time for which a row is remembered; without it for ever. */
  readonly within?: number;
  /** Milliseconds of event time after the last row of a combination, when it is forgotten. */
  readonly ttl?: number;
}

export function uniqueNode(options: Omit<UniqueNode, "kind">): UniqueNode {
  return Object.freeze({ kind: "unique", ...options });
}
