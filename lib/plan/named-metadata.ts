import { isMetadata } from "./metadata.ts";
import type { PlanNode } from "./nodes/plan-node.ts";

/** The metadata columns that a program names among its columns (`select("_offset", …)`); the others travel unseen. */
export function namedMetadata(node: PlanNode): ReadonlySet<string> {
  switch (node.kind) {
    case "select":
    case "withColumns": {
      const named = node.exprs.flatMap((expr) => (expr.kind === "col" && isMetadata(expr.name) ? [expr.name] : []));
      return new Set(node.kind === "select" ? named : [...named, ...namedMetadata(node.input)]);
    }
    case "drop": {
      const named = new Set(namedMetadata(node.input));
      for (const column of node.columns) named.delete(column);
      return named;
    }
    case "filter":
    case "rename":
    case "explode":
    case "unnest":
    case "unique":
    case "late":
    case "keyBy":
    case "sink":
    case "toParquet":
      return namedMetadata(node.input);
    default:
      return new Set();
  }
}

/** The columns of a terminal's rows that its program shows. */
export function shownColumns(node: PlanNode, columns: readonly string[]): string[] {
  const named = namedMetadata(node);
  return columns.filter((name) => !isMetadata(name) || named.has(name));
}
