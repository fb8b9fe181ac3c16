import type { PlanNode } from "./plan-node.ts";
import type { TableNode } from "./table-node.ts";

/** Each row of `input` with the row that a table has, or had at the row's event time, for its key. */
export interface JoinTableNode {
  readonly kind: "joinTable";
  readonly input: PlanNode;
  readonly other: TableNode;
  readonly leftOn: readonly string[];
  readonly rightOn: readonly string[];
  readonly how: "inner" | "left";
  /** Milliseconds by which a row may be late and still see the table of its time; undefined: always the newest version read. */
  readonly history?: number;
  readonly suffix: string;
}

export function joinTableNode(options: Omit<JoinTableNode, "kind">): JoinTableNode {
  return Object.freeze({ kind: "joinTable", ...options });
}
