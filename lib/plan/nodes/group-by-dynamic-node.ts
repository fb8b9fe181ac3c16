import type { Calendar } from "../calendar.ts";
import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/** Aggregates per key and window of event time. Windows are aligned to the epoch and contain their start, not their end. */
export interface GroupByDynamicNode {
  readonly kind: "groupByDynamic";
  readonly input: PlanNode;
  /** The column of event time. */
  readonly indexColumn: string;
  /** All in milliseconds. Windows start at `k * every + offset` and last `period`; with a `calendar` that decides, and these are about as long. */
  readonly every: number;
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
  /** Ms of the wall clock without records after which what is open closes. */
  readonly idle?: number;
  /** Windows of days, weeks or months in a time zone. */
  readonly calendar?: Calendar;
  readonly by: readonly ExprTree[];
  readonly aggs: readonly ExprTree[];
  /** `close`: one row per window, when it closes; `update`: the window's row after every batch that changed it. */
  readonly emit: "close" | "update";
}

export function groupByDynamicNode(options: Omit<GroupByDynamicNode, "kind">): GroupByDynamicNode {
  return Object.freeze({ kind: "groupByDynamic", ...options });
}
