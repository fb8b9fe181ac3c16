import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Aggregates per key and window of rows: window k takes the rows from `k * every` on, `period` of them, counted per key. */
export interface GroupByCountNode {
  readonly kind: "groupByCount";
  readonly input: PlanNode;
  /** Rows. */
  readonly every: number;
  readonly period: number;
  readonly by: readonly ExprTree[];
  readonly aggs: readonly ExprTree[];
  readonly emit: "close" | "update";
}

export function groupByCountNode(options: Omit<GroupByCountNode, "kind">): GroupByCountNode {
  return Object.freeze({ kind: "groupByCount", ...options });
}
