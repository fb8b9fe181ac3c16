import type { Stage } from "../plan/analysis/stages.ts";
import { shape } from "../plan/fingerprint.ts";
import { type Arg, columnsOf, type ExprTree, mapChildren } from "../plan/tree.ts";
import type { OperatorPlan } from "./operator.ts";

/**
 * What the store of each stage keeps, whatever else its verb computes: the calls with those of earlier stages in the place of their columns.
 * So the state of `delta` outlives that another column is added beside it.
 */
export function stageContents(stages: readonly Stage[]): NonNullable<OperatorPlan["keeps"]>[] {
  const made = new Map<string, ExprTree>();
  const resolve = (tree: ExprTree): ExprTree =>
    tree.kind === "col" ? (made.get(tree.name) ?? tree) : mapChildren(tree, resolve);
  return stages.map(({ keys, kind, rows, calls }) => {
    const trees = calls.map(({ column, tree }): ExprTree => {
      const args = keys.map((key): Arg => ({ $expr: resolve(key) }));
      const whole: ExprTree = { kind: "call", fn: "over", self: resolve(tree), args };
      made.set(column, whole);
      return whole;
    });
    return { what: { kind, rows, calls: trees.map(shape) }, of: new Set(trees.flatMap(columnsOf)) };
  });
}

/** The names of the expressions that each stage works for, directly or through later stages. */
export function namesPerStage(
  stages: readonly Stage[],
  rest: readonly ExprTree[],
  names: readonly string[],
): readonly string[][] {
  return stages.map((stage, i) => {
    const columns = new Set(stage.calls.map(({ column }) => column));
    for (const { keys, calls } of stages.slice(i + 1))
      for (const { column, tree } of calls)
        if ([tree, ...keys].flatMap(columnsOf).some((name) => columns.has(name))) columns.add(column);
    return names.filter((_, k) => columnsOf(rest[k]!).some((name) => columns.has(name)));
  });
}
