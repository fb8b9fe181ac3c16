import { Refusal } from "../error.ts";
import { groupByCountNode } from "../plan/nodes/group-by-count-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";
import type { Columns } from "./arguments.ts";
import type { StreamFrame } from "./stream-frame.ts";
import { checkEmit, type Emit, keyTrees, knownOptions, StreamWindows } from "./window-options.ts";

export interface GroupByCountOptions {
  readonly by?: Columns;
  /** A window starts every so many rows of a key. */
  readonly every: number;
  /** How many rows a window takes; `every` if not given. */
  readonly period?: number;
  /** `"close"` (default): a row per window once it is full. `"update"`: its row after every batch that changed it. */
  readonly emit?: Emit;
}

/** @throws Refusal `BAD_OPTION`, `NO_EXACT_STREAMING_MEANING` */
export function groupByCount(
  input: PlanNode,
  options: GroupByCountOptions,
  frame: (node: PlanNode) => StreamFrame,
): StreamWindows {
  knownOptions("groupByCount", options, ["by", "every", "period", "emit"]);
  const { by = [], every, period = every, emit = "close" } = options;
  for (const [name, value] of Object.entries({ every, period }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new Refusal({
        code: "BAD_OPTION",
        what: `groupByCount: ${name} ${JSON.stringify(value)} is not a number of rows`,
        where: "groupByCount",
        remedies: ["a whole number from 1 on: every: 100"],
      });
  const spec = { input, every, period, by: keyTrees(by, "groupByCount", input), emit: checkEmit(emit) };
  return new StreamWindows(input, (aggs) => frame(groupByCountNode({ ...spec, aggs })));
}
