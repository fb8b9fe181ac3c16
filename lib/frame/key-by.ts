import { Refusal } from "../error.ts";
import { checkRowExprs } from "../plan/analysis/check.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import { type RepartitionNode, repartitionNode } from "../plan/nodes/repartition-node.ts";
import type { ExprTree } from "../plan/tree.ts";

/** @throws Refusal `NO_KEY`, `NO_EXACT_STREAMING_MEANING` */
export function keyBy(input: PlanNode, keys: readonly ExprTree[]): RepartitionNode {
  if (keys.length === 0)
    throw new Refusal({
      code: "NO_KEY",
      what: "keyBy() was given no key",
      where: "keyBy",
      remedies: ['name a column: .keyBy("customer")'],
    });
  checkRowExprs(keys, { verb: "keyBy", input });
  return repartitionNode({ input, keys, named: true });
}
