import type { PlanNode } from "./plan-node.ts";

/** The rows that came too late for windows: those of the windows' input, each once, with the windows it missed. */
export interface LateNode {
  readonly kind: "late";
  /** The input of the windows. */
  readonly input: PlanNode;
  readonly indexColumn: string;
  /** All in milliseconds, as those of the windows. */
  readonly every: number;
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
}

export function lateNode(options: Omit<LateNode, "kind">): LateNode {
  return Object.freeze({ kind: "late", ...options });
}
