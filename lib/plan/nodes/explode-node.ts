import type { PlanNode } from "./plan-node.ts";

/** One row per item of a list; a row without items stays once, with null. */
export interface ExplodeNode {
  readonly kind: "explode";
  readonly input: PlanNode;
  readonly column: string;
  /** Lists of the same length beside it, whose items go along; absent for none. */
  readonly more?: readonly string[];
}

export function explodeNode(options: Omit<ExplodeNode, "kind">): ExplodeNode {
  return Object.freeze({ kind: "explode", ...options });
}

/** All columns of lists. */
export function explodedColumns({ column, more = [] }: Pick<ExplodeNode, "column" | "more">): readonly string[] {
  return [column, ...more];
}
