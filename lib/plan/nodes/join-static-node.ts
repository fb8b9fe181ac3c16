import type { Schema } from "../../schema.ts";
import type { PlanNode } from "./plan-node.ts";

/** Each row of `input` with the rows that a fixed table has for its key. */
export interface JoinStaticNode {
  readonly kind: "joinStatic";
  readonly input: PlanNode;
  /** Where its rows are found in this process, see `staticRows`; a digest of them, so it is part of the fingerprint. */
  readonly digest: string;
  /** What it was made of: `frame`, or the name of a file. */
  readonly origin: string;
  readonly schema: Schema;
  readonly leftOn: readonly string[];
  readonly rightOn: readonly string[];
  readonly how: "inner" | "left" | "semi" | "anti";
  readonly suffix: string;
}

export function joinStaticNode(options: Omit<JoinStaticNode, "kind">): JoinStaticNode {
  return Object.freeze({ kind: "joinStatic", ...options });
}
