import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Aggregates per key and session: rows less than `gap` apart. A session is [its first time, its last time + gap). */
export interface GroupBySessionNode {
  readonly kind: "groupBySession";
  readonly input: PlanNode;
  /** The column of event time. */
  readonly indexColumn: string;
  /** Milliseconds. */
  readonly gap: number;
  readonly grace: number;
  /** Ms of the wall clock without records after which what is open closes. */
  readonly idle?: number;
  readonly by: readonly ExprTree[];
  readonly aggs: readonly ExprTree[];
  readonly emit: "close" | "update";
}

export function groupBySessionNode(options: Omit<GroupBySessionNode, "kind">): GroupBySessionNode {
  return Object.freeze({ kind: "groupBySession", ...options });
}
