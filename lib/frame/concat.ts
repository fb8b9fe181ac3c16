import { Refusal } from "../error.ts";
import { type ConcatNode, concatNode } from "../plan/nodes/concat-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";

/** @throws Refusal `NO_FRAMES`; columns are compared when the program is compiled */
export function concatNodeOf(frames: readonly { readonly node: PlanNode }[]): ConcatNode {
  const nodes = frames.map((frame) => frame?.node);
  if (nodes.length < 2 || nodes.some((node) => node === undefined))
    throw new Refusal({
      code: "NO_FRAMES",
      what: "concat() takes two frames or more",
      where: "concat",
      remedies: ["concat(phones, tablets)", "phones.concat(tablets)"],
    });
  const [input, ...others] = nodes as [PlanNode, ...PlanNode[]];
  return concatNode({ input, others: Object.freeze(others) });
}
