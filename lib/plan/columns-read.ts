import { meaningOf } from "./analysis/meaning-of.ts";
import { isMetadata } from "./metadata.ts";
import { explodedColumns } from "./nodes/explode-node.ts";
import { inputsOf, type PlanNode } from "./nodes/plan-node.ts";
import { type SourceNode, timeColumns } from "./nodes/source-node.ts";
import { columnsOf, type ExprTree, someTree } from "./tree.ts";

/** Column names, or every column there is. */
export type Wanted = ReadonlySet<string> | "all";

/**
 * The columns of a source that a plan reads, as far as that shows without a schema; the others are not decoded.
 * @param source one of the plan's sources; the first where nothing is said
 */
export function columnsRead(node: PlanNode, source?: SourceNode): readonly string[] | "all" {
  const found = new Map<SourceNode, Wanted>();
  inward(node, "all", found);
  const wanted = source === undefined ? found.values().next().value : found.get(source);
  if (wanted === undefined) return [];
  return wanted === "all" ? wanted : [...wanted].filter((name) => !isMetadata(name));
}

/** Through the plan to its sources: what is wanted of a node, in terms of its inputs. */
function inward(node: PlanNode, wanted: Wanted, found: Map<SourceNode, Wanted>): void {
  if (node.kind === "source") {
    const own = union(wanted, timeColumns(node));
    found.set(node, union(found.get(node) ?? new Set(), own));
    return;
  }
  const before = wantedOfInputs(node, wanted);
  for (const input of inputsOf(node)) inward(input, before, found);
}

function wantedOfInputs(node: Exclude<PlanNode, SourceNode>, wanted: Wanted): Wanted {
  switch (node.kind) {
    case "select":
      return named(node.exprs);
    case "withColumns": {
      if (wanted === "all") return "all";
      const made = new Set(node.exprs.map(outputName));
      return union(new Set([...wanted].filter((name) => !made.has(name))), named(node.exprs));
    }
    case "filter":
      return union(wanted, named([node.predicate]));
    case "rename": {
      if (wanted === "all") return "all";
      const back = new Map(Object.entries(node.mapping).map(([from, to]) => [to, from]));
      return new Set([...wanted].map((name) => back.get(name) ?? name));
    }
    case "explode":
      return union(wanted, new Set(explodedColumns(node)));
    case "unique":
      return union(wanted, new Set(node.subset));
    case "late":
      return union(wanted, new Set([node.indexColumn]));
    case "keyBy":
      return union(wanted, named(node.keys));
    case "groupBy":
      return named([...node.by, ...node.aggs]);
    case "groupByCount":
      return named([...node.by, ...node.aggs]);
    case "groupByDynamic":
    case "groupBySession":
    case "groupByRolling":
      return union(named([...node.by, ...node.aggs]), new Set([node.indexColumn]));
    case "sink": {
      const { key, value, delete: remove } = node;
      if (value === undefined) return "all";
      const written = new Set([...value, ...(key === undefined ? [] : [key])]);
      return union(written, named(remove === undefined ? [] : [remove]));
    }
    case "drop":
      return wanted;
    default:
      // which columns are whose (the fields of a struct, the two sides of a join) only the schema tells
      return "all";
  }
}

export function union(a: Wanted, b: Wanted): Wanted {
  return a === "all" || b === "all" ? "all" : new Set([...a, ...b]);
}

export function named(exprs: readonly ExprTree[]): Wanted {
  const pattern = exprs.some((expr) => someTree(expr, (tree) => meaningOf(tree).is === "columns"));
  return pattern ? "all" : new Set(exprs.flatMap(columnsOf));
}

/** The name of the column an expression makes, where it is plain to see. */
export function outputName(tree: ExprTree): string | undefined {
  if (tree.kind === "col") return tree.name;
  if (tree.kind === "call" && (tree.fn === "alias" || tree.fn === "as")) return tree.args[0] as string;
  return undefined;
}
