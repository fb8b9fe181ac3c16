import { emptyFrame, type Schema } from "../../schema.ts";
import { isMetadata } from "../metadata.ts";
import { replay } from "../replay.ts";
import { type Arg, argTree, colTree, type ExprTree, mapArgs } from "../tree.ts";
import { meaningOf } from "./meaning-of.ts";

/** Functions that take any number of columns: several columns in their place are several arguments, not several expressions. */
const MANY = new Set([
  "struct",
  "concatList",
  "concatString",
  "format",
  "allHorizontal",
  "anyHorizontal",
  "minHorizontal",
  "maxHorizontal",
  "sumHorizontal",
  "over",
  "struct.withFields",
]);

/**
 * An expression over several columns (`pl.all().abs()`, `pl.col("^g.*$")`, `pl.col(pl.Float64)`) as one expression per column.
 * Which columns a pattern stands for is asked of Polars. Metadata columns are meant only by their exact name.
 */
export function expand(tree: ExprTree, schema: Schema): ExprTree[] {
  if (meaningOf(tree).is === "columns") {
    const columns = Object.fromEntries(Object.entries(schema).filter(([name]) => !isMetadata(name)));
    return emptyFrame(columns).select(replay(tree)).columns.map(colTree);
  }
  switch (tree.kind) {
    case "call": {
      if (MANY.has(tree.fn))
        return expand(tree.self, schema).map((self) => ({ ...tree, self, args: spread(tree.args, schema) }));
      return product(tree, [tree.self, ...directTrees(tree.args)], schema, (children) => {
        const rest = children.slice(1);
        return { ...tree, self: children[0]!, args: mapArgs(tree.args, () => rest.shift()!) };
      });
    }
    case "function":
      if (MANY.has(tree.fn)) return [{ ...tree, args: spread(tree.args, schema) }];
      return product(tree, directTrees(tree.args), schema, (children) => {
        const rest = [...children];
        return { ...tree, args: mapArgs(tree.args, () => rest.shift()!) };
      });
    case "when": {
      const parts = [...tree.branches.flatMap((branch) => [branch.condition, branch.value]), tree.otherwise];
      return product(tree, parts, schema, (children) => ({
        kind: "when",
        branches: tree.branches.map((_, i) => ({ condition: children[2 * i]!, value: children[2 * i + 1]! })),
        otherwise: children.at(-1)!,
      }));
    }
    default:
      return [tree];
  }
}

/** Children with several columns go side by side: the first of each, the second of each, … */
function product(
  tree: ExprTree,
  children: readonly ExprTree[],
  schema: Schema,
  build: (children: ExprTree[]) => ExprTree,
): ExprTree[] {
  const expanded = children.map((child) => expand(child, schema));
  if (expanded.every((parts) => parts.length === 1))
    return children.length === 0 ? [tree] : [build(expanded.map((parts) => parts[0]!))];
  const count = Math.max(...expanded.map((parts) => parts.length));
  if (expanded.some((parts) => parts.length === 0)) return [];
  return Array.from({ length: count }, (_, i) => build(expanded.map((parts) => parts[Math.min(i, parts.length - 1)]!)));
}

function directTrees(args: readonly Arg[]): ExprTree[] {
  const trees: ExprTree[] = [];
  mapArgs(args, (tree) => {
    trees.push(tree);
    return tree;
  });
  return trees;
}

function spread(args: readonly Arg[], schema: Schema): Arg[] {
  return args.flatMap((arg): Arg[] => {
    const tree = argTree(arg);
    if (tree !== undefined) return expand(tree, schema).map((part) => ({ $expr: part }));
    if (Array.isArray(arg)) return [spread(arg, schema)];
    if (arg !== null && typeof arg === "object" && "exprs" in arg)
      return [{ ...arg, exprs: spread([arg.exprs as Arg].flat() as Arg[], schema) }];
    return [arg];
  });
}
