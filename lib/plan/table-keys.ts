import type { JoinTablesNode } from "./nodes/join-tables-node.ts";
import type { PlanNode } from "./nodes/plan-node.ts";

/** The columns by which a table has one row each; undefined for frames that are no tables. */
export function tableKeys(node: PlanNode): readonly string[] | undefined {
  if (node.kind === "table") return [node.key];
  if (node.kind !== "joinTables") return undefined;
  return isForeign(node) ? tableKeys(node.input) : node.leftOn;
}

/** Whether a join of two tables goes by a column of the left one that holds the key of the right one (a foreign key). */
export function isForeign({ input, other, leftOn, rightOn }: JoinTablesNode): boolean {
  return same(rightOn, tableKeys(other)) && !same(leftOn, tableKeys(input));
}

/** Whether a join of two tables goes by the keys of both. */
export function isByKeys({ input, other, leftOn, rightOn }: JoinTablesNode): boolean {
  return same(rightOn, tableKeys(other)) && same(leftOn, tableKeys(input));
}

function same(names: readonly string[], keys: readonly string[] | undefined): boolean {
  return keys !== undefined && names.length === keys.length && keys.every((key) => names.includes(key));
}
