import { headline } from "./explain.ts";
import { setsWallTimers } from "./explain-code.ts";
import { nodesOf, type PlanNode } from "./nodes/plan-node.ts";

/** The verbs of a plan that give rows by the wall clock, in the words of `explain`: which rows these were is not to be told from the records alone. */
export function clockVerbs(terminals: readonly PlanNode[]): string[] {
  const acts = (node: PlanNode): boolean =>
    node.kind === "process"
      ? setsWallTimers(node)
      : node.kind !== "source" && "idle" in node && node.idle !== undefined;
  return [...new Set(nodesOf(terminals).filter(acts).map(headline))];
}
