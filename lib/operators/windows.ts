import type { GroupByCountNode } from "../plan/nodes/group-by-count-node.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import type { GroupByRollingNode } from "../plan/nodes/group-by-rolling-node.ts";
import type { GroupBySessionNode } from "../plan/nodes/group-by-session-node.ts";
import { delayAt } from "./check-time.ts";
import type { Compiled } from "./compile.ts";
import { countPlan } from "./count-plan.ts";
import { endOfDynamic, endOfRolling, endOfSession, type Idle, withIdle } from "./idle-windows.ts";
import { rollingPlan } from "./rolling-plan.ts";
import { sessionPlan } from "./session-plan.ts";
import { windowPlan } from "./window-plan.ts";

type WindowNode = GroupByDynamicNode | GroupBySessionNode | GroupByCountNode | GroupByRollingNode;

type CompiledWindows = Pick<
  Compiled,
  "steps" | "schema" | "lineage" | "delay" | "leastDelay" | "used" | "windowed" | "updating"
> & { watermark: boolean };

/** Windows of any kind. @throws Refusal for keys, times and aggregates that have no exact meaning */
export function compileWindows(
  node: WindowNode,
  input: Compiled,
  storeName: (name: string) => string,
): CompiledWindows {
  const compiled = compileKind(node, input, storeName);
  if (node.kind === "groupByCount" || node.idle === undefined) return compiled;
  const [step] = compiled.steps;
  if (step === undefined || !("operator" in step)) return compiled;
  const { indexColumn, grace, idle: after } = node;
  const idle = { after, indexColumn, grace, delay: delayAt(node, input), end: endOf(node) };
  const name = storeName(`${step.operator.stores[0]!.name}_idle`);
  return { ...compiled, steps: [{ operator: withIdle(step.operator, idle, name) }, ...compiled.steps.slice(1)] };
}

function endOf(node: Exclude<WindowNode, GroupByCountNode>): Idle["end"] {
  switch (node.kind) {
    case "groupByDynamic":
      return endOfDynamic(node);
    case "groupBySession":
      return endOfSession(node.gap);
    case "groupByRolling":
      return endOfRolling(node);
  }
}

function compileKind(node: WindowNode, input: Compiled, storeName: (name: string) => string): CompiledWindows {
  switch (node.kind) {
    case "groupByDynamic":
      return closing(windowPlan(node, input, storeName), node.emit === "update");
    case "groupBySession":
      return closing(sessionPlan(node, input, storeName), node.emit === "update");
    case "groupByRolling":
      return closing(rollingPlan(node, input, storeName), false);
    case "groupByCount":
      // its rows are judged like records: by the watermark before the row that filled them
      return {
        ...countPlan(node, input, storeName),
        leastDelay: input.leastDelay,
        windowed: input.windowed,
        updating: node.emit === "update",
        watermark: false,
      };
  }
}

/** Windows that close by event time: all at once what it has passed. */
function closing(
  compiled: Omit<CompiledWindows, "leastDelay" | "windowed" | "updating" | "watermark">,
  updating: boolean,
): CompiledWindows {
  return { ...compiled, leastDelay: compiled.delay, windowed: true, updating, watermark: true };
}
