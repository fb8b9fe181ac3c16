import { meaningOf } from "./analysis/meaning-of.ts";
import { isMetadata } from "./metadata.ts";
import type { PlanNode } from "./nodes/plan-node.ts";
import { columnsOf, type ExprTree, someTree } from "./tree.ts";

/** Column names, or every column there is. */
type Wanted = ReadonlySet<string> | "all";

/** The columns of the source that a plan reads, as far as that shows without a schema; the others are not decoded. */
export function columnsRead(node: PlanNode): readonly string[] | "all" {
  const wanted = inward(node, "all");
  return wanted === "all" ? wanted : [...wanted].filter((name) => !isMetadata(name));
}

/** Through the plan to its source: what is wanted of a node, in terms of its input. */
function inward(node: PlanNode, wanted: Wanted): Wanted {
  switch (node.kind) {
    case "source":
      if (wanted === "all" || node.time === undefined) return wanted;
      return new Set([...wanted, node.time]);
    case "select":
      return inward(node.input, named(node.exprs));
    case "withColumns": {
      if (wanted === "all") return inward(node.input, "all");
      const made = new Set(node.exprs.map(outputName));
      return inward(node.input, union(new Set([...wanted].filter((name) => !made.has(name))), named(node.exprs)));
    }
    case "filter":
      return inward(node.input, union(wanted, named([node.predicate])));
    case "rename": {
      if (wanted === "all") return inward(node.input, "all");
      const back = new Map(Object.entries(node.mapping).map(([from, to]) => [to, from]));
      return inward(node.input, new Set([...wanted].map((name) => back.get(name) ?? name)));
    }
    case "explode":
      return inward(node.input, union(wanted, new Set([node.column])));
    case "unique":
      return inward(node.input, union(wanted, new Set(node.subset)));
    case "late":
      return inward(node.input, union(wanted, new Set([node.indexColumn])));
    case "groupBy":
      return inward(node.input, named([...node.by, ...node.aggs]));
    case "groupByDynamic":
      return inward(node.input, union(named([...node.by, ...node.aggs]), new Set([node.indexColumn])));
    case "sink": {
      const { key, value, delete: remove } = node;
      if (value === undefined) return inward(node.input, "all");
      const written = new Set([...value, ...(key === undefined ? [] : [key])]);
      return inward(node.input, union(written, named(remove === undefined ? [] : [remove])));
    }
    case "drop":
      return inward(node.input, wanted);
    case "unnest":
      // which columns are fields only the schema tells
      return inward(node.input, "all");
  }
}

function union(a: Wanted, b: Wanted): Wanted {
  return a === "all" || b === "all" ? "all" : new Set([...a, ...b]);
}

function named(exprs: readonly ExprTree[]): Wanted {
  const pattern = exprs.some((expr) => someTree(expr, (tree) => meaningOf(tree).is === "columns"));
  return pattern ? "all" : new Set(exprs.flatMap(columnsOf));
}

/** The name of the column an expression makes, where it is plain to see. */
function outputName(tree: ExprTree): string | undefined {
  if (tree.kind === "col") return tree.name;
  if (tree.kind === "call" && (tree.fn === "alias" || tree.fn === "as")) return tree.args[0] as string;
  return undefined;
}
