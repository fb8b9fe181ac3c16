import type { PlanNode } from "./nodes/plan-node.ts";
import { nodesOf } from "./nodes/plan-node.ts";
import { placedAnew } from "./placement.ts";
import { print } from "./print.ts";
import type { ExprTree } from "./tree.ts";

/** What `explain` says about where rows are placed anew before a verb. */
export function explainPlacement(node: PlanNode): string[] {
  if (node.kind === "joinTables") return []; // says it itself
  const sides = placedAnew(node);
  return sides.flatMap((keys, i) => {
    if (keys === undefined) return [];
    const side = sides.length === 1 ? "" : `the ${i === 0 ? "left" : "right"} side `;
    return [
      `placed anew: ${side}${byText(keys)} first, in the order of event time; a job sends the rows through a topic of its own`,
    ];
  });
}

const byText = (keys: readonly ExprTree[]): string =>
  keys.length === 0 ? "to a single partition" : `by ${keys.map(print).join(", ")}`;

/** Whether rows of this plan are placed anew anywhere. */
export function isPlacedAnew(terminal: PlanNode): boolean {
  return nodesOf([terminal]).some(
    (node) => node.kind === "keyBy" || placedAnew(node).some((keys) => keys !== undefined),
  );
}
