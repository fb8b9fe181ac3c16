import { Refusal } from "../error.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import type { Compiled } from "./compile.ts";

export function windowPlan(
  node: GroupByDynamicNode,
  _input: Compiled,
  _storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  throw new Refusal({ code: "NOT_BUILT", what: `windows every ${node.every} ms are on their way` });
}
