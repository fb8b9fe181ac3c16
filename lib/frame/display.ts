import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { driver } from "./driver.ts";

const JUPYTER = Symbol.for("Jupyter.display");

/** What a notebook shows for a frame: its live view. */
export function display(node: PlanNode): unknown {
  const current = driver();
  if (current.display !== undefined) return current.display(node);
  return (current.live(node, {}) as { [JUPYTER]?: () => unknown })[JUPYTER]?.();
}
