import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Aggregates per row: over the rows of its key from `offset` past its time on, `period` long. */
export interface GroupByRollingNode {
  readonly kind: "groupByRolling";
  readonly input: PlanNode;
  /** The column of event time. */
  readonly indexColumn: string;
  /** Milliseconds. */
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
  /** Ms of the wall clock without records after which what is open closes. */
  readonly idle?: number;
  /** Which ends belong to the window. */
  readonly closed: "left" | "right" | "both" | "none";
  readonly by: readonly ExprTree[];
  readonly aggs: readonly ExprTree[];
}

export function groupByRollingNode(options: Omit<GroupByRollingNode, "kind">): GroupByRollingNode {
  return Object.freeze({ kind: "groupByRolling", ...options });
}
