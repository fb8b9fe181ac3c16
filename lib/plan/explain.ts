import { printDuration } from "./duration.ts";
import { nodesOf, type PlanNode } from "./nodes/plan-node.ts";
import { print } from "./print.ts";

/** What runs, as text, from the source to the last verb. */
export function explain(node: PlanNode): string {
  return nodesOf([node]).map(line).join("\n");
}

function line(node: PlanNode): string {
  switch (node.kind) {
    case "source":
      return `topic ${node.pattern ? `/${node.pattern}/` : node.topics.join(", ")}`;
    case "select":
    case "withColumns":
      return `${node.kind} ${node.exprs.map(print).join(", ")}`;
    case "filter":
      return `filter ${print(node.predicate)}`;
    case "rename":
      return `rename ${JSON.stringify(node.mapping)}`;
    case "drop":
      return `drop ${node.columns.join(", ")}`;
    case "groupByDynamic":
      return `groupByDynamic every ${printDuration(node.every)}`;
    case "sink":
      return `to ${node.topic}`;
  }
}
