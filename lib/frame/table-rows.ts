import pl from "nodejs-polars";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { withColumnsNode } from "../plan/nodes/with-columns-node.ts";
import { tableKeys } from "../plan/table-keys.ts";
import { colTree } from "../plan/tree.ts";

const DELETED = "§deleted";

/** For a table: what to collect instead, and how the table is made of its changes. Undefined for other frames. */
export function tableRows(
  node: PlanNode,
): { changes: PlanNode; newest: (changes: pl.DataFrame) => pl.DataFrame } | undefined {
  const keys = tableKeys(node);
  if (keys === undefined) return undefined;
  const deleted = { kind: "call", fn: "alias", self: colTree("_delete"), args: [DELETED] } as const;
  return {
    changes: withColumnsNode({ input: node, exprs: [deleted] }),
    newest: (changes) =>
      changes
        .unique({ subset: [...keys], keep: "last", maintainOrder: true })
        .filter(pl.col(DELETED).not())
        .drop(DELETED),
  };
}
