import type { GroupByCountNode } from "../plan/nodes/group-by-count-node.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import type { GroupByRollingNode } from "../plan/nodes/group-by-rolling-node.ts";
import type { GroupBySessionNode } from "../plan/nodes/group-by-session-node.ts";
import type { Compiled } from "./compile.ts";
import { countPlan } from "./count-plan.ts";
import { rollingPlan } from "./rolling-plan.ts";
import { sessionPlan } from "./session-plan.ts";
import { windowPlan } from "./window-plan.ts";

type WindowNode = GroupByDynamicNode | GroupBySessionNode | GroupByCountNode | GroupByRollingNode;

/** Windows of any kind. @throws Refusal for keys, times and aggregates that have no exact meaning */
export function compileWindows(
  node: WindowNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "used" | "windowed" | "updating"> & {
  watermark: boolean;
} {
  switch (node.kind) {
    case "groupByDynamic":
      return {
        ...windowPlan(node, input, storeName),
        windowed: true,
        updating: node.emit === "update",
        watermark: true,
      };
    case "groupBySession":
      return {
        ...sessionPlan(node, input, storeName),
        windowed: true,
        updating: node.emit === "update",
        watermark: true,
      };
    case "groupByRolling":
      return { ...rollingPlan(node, input, storeName), windowed: true, updating: false, watermark: true };
    case "groupByCount":
      // its rows are judged like records: by the watermark before the row that filled them
      return {
        ...countPlan(node, input, storeName),
        windowed: input.windowed,
        updating: node.emit === "update",
        watermark: false,
      };
  }
}
