import { expand } from "../plan/analysis/expand.ts";
import { splitStages } from "../plan/analysis/stages.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { colTree, type ExprTree } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";

/** What a verb with one input keeps state by: a list of keys for each state, none where it keeps none; an empty list is one state for all rows. */
export function keysOf(node: PlanNode, schema: Schema): readonly (readonly ExprTree[])[] {
  switch (node.kind) {
    case "select":
    case "withColumns":
      return stageKeys(node.exprs, schema);
    case "filter":
      return stageKeys([node.predicate], schema);
    case "sink":
      return node.delete === undefined ? [] : stageKeys([node.delete], schema);
    case "unique":
      return [node.subset.map(colTree)];
    case "toTable":
      return node.key === undefined ? [] : [node.key.map(colTree)];
    case "late":
      return node.session === undefined ? [] : [node.session.by];
    default:
      return "by" in node ? [node.by as readonly ExprTree[]] : [];
  }
}

function stageKeys(exprs: readonly ExprTree[], schema: Schema): readonly (readonly ExprTree[])[] {
  return splitStages(exprs.flatMap((expr) => expand(expr, schema))).stages.map(({ keys }) => keys);
}
