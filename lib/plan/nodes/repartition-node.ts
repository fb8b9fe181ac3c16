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
  /** Rows go to every partition: a table that others look into by any of their columns. */
  readonly everywhere?: true;
}

export function repartitionNode(options: Omit<RepartitionNode, "kind" | "id">): RepartitionNode {
  const { input, keys, named, everywhere } = options;
  const id = contentId("keyBy", [contentKey(input), keys, named, ...(everywhere ? [everywhere] : [])]);
  return Object.freeze({
    kind: "keyBy",
    id,
    input,
    keys: Object.freeze([...keys]),
    named,
    ...(everywhere && { everywhere }),
  });
}
