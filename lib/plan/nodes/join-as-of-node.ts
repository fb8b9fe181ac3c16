import type { PlanNode } from "./plan-node.ts";

/** Each row of `input` with the row of `other` that is nearest in event time. */
export interface JoinAsOfNode {
  readonly kind: "joinAsof";
  readonly input: PlanNode;
  readonly other: PlanNode;
  /** Columns of event time. */
  readonly leftOn: string;
  readonly rightOn: string;
  readonly byLeft: readonly string[];
  readonly byRight: readonly string[];
  readonly strategy: "backward" | "forward";
  /** Milliseconds. */
  readonly tolerance?: number;
  /** Milliseconds by which a row of `input` may be late and still find the row of its time. */
  readonly history: number;
  /** Milliseconds for which rows of `input` wait for late rows of `other`. */
  readonly grace?: number;
  readonly suffix: string;
}

export function joinAsOfNode(options: Omit<JoinAsOfNode, "kind">): JoinAsOfNode {
  return Object.freeze({ kind: "joinAsof", ...options });
}
