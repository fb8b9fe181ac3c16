import type { Schema } from "../schema.ts";
import { expand } from "./analysis/expand.ts";
import { splitStages } from "./analysis/stages.ts";
import type { PlanNode } from "./nodes/plan-node.ts";
import { colTree, type ExprTree } from "./tree.ts";

/**
 * What a verb with one input keeps state by: a list of keys for each state, none where it keeps none; an empty list is one state for all rows.
 * @param schema of the input; without it patterns over several columns are not seen
 */
export function keysOf(node: PlanNode, schema?: Schema): readonly (readonly ExprTree[])[] {
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

function stageKeys(exprs: readonly ExprTree[], schema: Schema | undefined): readonly (readonly ExprTree[])[] {
  const all = schema === undefined ? exprs : exprs.flatMap((expr) => expand(expr, schema));
  return splitStages(all).stages.map(({ keys }) => keys);
}

/** The keys that the two sides of a join are compared by; undefined for other nodes. */
export function joinKeys(node: PlanNode): { left: readonly string[]; right: readonly string[] } | undefined {
  switch (node.kind) {
    case "joinAsof":
      return { left: node.byLeft, right: node.byRight };
    case "join":
    case "joinTable":
    case "joinTables":
      return { left: node.leftOn, right: node.rightOn };
    default:
      return undefined;
  }
}
