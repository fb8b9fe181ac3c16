import { outputName } from "./columns-read.ts";
import { inputsOf, type PlanNode } from "./nodes/plan-node.ts";

/**
 * Where rows replace earlier ones: the columns that tell which, or undefined where they do not show. `"none"` where no row replaces another.
 */
export function updateKey(node: PlanNode): readonly string[] | undefined | "none" {
  switch (node.kind) {
    case "source":
    case "late":
    case "groupByRolling":
      return "none";
    case "groupBy":
      return complete(node.by.map(outputName));
    case "groupByDynamic":
      return node.emit === "close" ? "none" : complete([...node.by.map(outputName), "window_start"]);
    case "groupBySession":
    case "groupByCount":
      return node.emit === "close" ? "none" : undefined;
    case "rename": {
      const key = updateKey(node.input);
      return Array.isArray(key) ? key.map((name) => node.mapping[name] ?? name) : key;
    }
    case "withColumns":
    case "filter":
    case "drop":
    case "select":
    case "sink":
      return updateKey(node.input);
    default:
      return inputsOf(node).every((input) => updateKey(input) === "none") ? "none" : undefined;
  }
}

const complete = (names: readonly (string | undefined)[]) =>
  names.every((name) => name !== undefined) ? (names as readonly string[]) : undefined;
