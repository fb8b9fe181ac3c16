import type { PlanNode } from "./plan-node.ts";
import type { TableNode } from "./table-node.ts";

/** Two tables by their keys: the joined row of a key again, whenever either of its rows changes. */
export interface JoinTablesNode {
  readonly kind: "joinTables";
  readonly input: TableNode | PlanNode;
  readonly other: TableNode | PlanNode;
  readonly leftOn: readonly string[];
  readonly rightOn: readonly string[];
  readonly how: "inner" | "left" | "full";
  readonly suffix: string;
}

export function joinTablesNode(options: Omit<JoinTablesNode, "kind">): JoinTablesNode {
  return Object.freeze({ kind: "joinTables", ...options });
}
