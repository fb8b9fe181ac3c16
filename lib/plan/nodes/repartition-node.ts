import { contentId, contentKey } from "../content-key.ts";
import type { ExprTree } from "../tree.ts";
import type { PlanNode } from "./plan-node.ts";

/**
 * Rows placed anew, by other keys than the record key: those with equal keys meet in one partition. In a job they go through a topic of its own.
 * In a compiled program it is an end (rows to be sent on) as well as a source (rows that come back).
 */
export interface RepartitionNode {
  readonly kind: "keyBy";
  readonly id: string;
  readonly input: PlanNode;
  /** Without keys all rows go to partition 0. */
  readonly keys: readonly ExprTree[];
  /** True where the program says `keyBy`: then the record key of the rows is the new one. Else the plan needs it for a keyed verb. */
  readonly named: boolean;
}

export function repartitionNode({ input, keys, named }: Omit<RepartitionNode, "kind" | "id">): RepartitionNode {
  const id = contentId("keyBy", [contentKey(input), keys, named]);
  return Object.freeze({ kind: "keyBy", id, input, keys: Object.freeze([...keys]), named });
}
