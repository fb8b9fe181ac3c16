import type { JoinHow } from "../join-how.ts";
import type { PlanNode } from "./plan-node.ts";

/** Rows of two streams with equal keys whose event times are near each other. */
export interface JoinNode {
  readonly kind: "join";
  readonly input: PlanNode;
  readonly other: PlanNode;
  readonly leftOn: readonly string[];
  readonly rightOn: readonly string[];
  readonly how: JoinHow;
  /** A row of `other` matches from this many milliseconds before a row of `input` … */
  readonly before: number;
  /** … to this many after it. */
  readonly after: number;
  /** Milliseconds for which late rows are waited for. */
  readonly grace: number;
  /** A full join gives the keys once. */
  readonly coalesce: boolean;
  readonly suffix: string;
}

export function joinNode(options: Omit<JoinNode, "kind">): JoinNode {
  return Object.freeze({ kind: "join", ...options });
}
