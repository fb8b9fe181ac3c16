import { Refusal } from "../error.ts";
import { type LateNode, lateNode } from "../plan/nodes/late-node.ts";
import type { PlanNode } from "../plan/nodes/plan-node.ts";

/** The late rows of windows. @throws Refusal `NO_WINDOWS` */
export function lateRows(node: PlanNode): LateNode {
  const none = { every: 0, period: 0, offset: 0 };
  switch (node.kind) {
    case "groupByDynamic": {
      const { input, indexColumn, every, period, offset, grace, calendar } = node;
      const shape = { every, period, offset, ...(calendar && { calendar }) };
      return lateNode({ input, indexColumn, grace, ...idle(node), ...shape });
    }
    case "groupBySession": {
      const { input, indexColumn, grace, gap, by } = node;
      return lateNode({ input, indexColumn, grace, ...idle(node), ...none, session: Object.freeze({ gap, by }) });
    }
    case "groupByRolling": {
      const { input, indexColumn, grace } = node;
      return lateNode({
        input,
        indexColumn,
        grace,
        ...idle(node),
        ...none,
        rolling: { offset: node.offset, period: node.period },
      });
    }
    default:
      throw new Refusal({
        code: "NO_WINDOWS",
        what: "only windows of event time have late rows, and this frame is not one of such windows",
        where: "late",
        remedies: ["call it right on what groupByDynamic(…).agg(…) gave, before other verbs"],
      });
  }
}

function idle({ idle }: { readonly idle?: number }): { idle?: number } {
  return idle === undefined ? {} : { idle };
}
