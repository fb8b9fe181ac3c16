import type { PlanNode } from "./plan-node.ts";

/** Renames columns: old name -> new name. */
export interface RenameNode {
  readonly kind: "rename";
  readonly input: PlanNode;
  readonly mapping: Readonly<Record<string, string>>;
}

export function renameNode(options: Omit<RenameNode, "kind">): RenameNode {
  return Object.freeze({ kind: "rename", ...options });
}
