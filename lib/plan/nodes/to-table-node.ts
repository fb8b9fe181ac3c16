import type { PlanNode } from "./plan-node.ts";

/** Rows kept in a table of the job's state, which SQL reads. */
export interface ToTableNode {
  readonly kind: "toTable";
  readonly input: PlanNode;
  /** Of the table, in state and changelog. */
  readonly name: string;
  /** The columns of which the table has one row per combination of values, the last. Without it every row is kept, numbered by `_row`. */
  readonly key?: readonly string[];
}

export function toTableNode(options: Omit<ToTableNode, "kind">): ToTableNode {
  return Object.freeze({ kind: "toTable", ...options });
}
