import type { Schema } from "../schema.ts";
import { meaningOf } from "./analysis/meaning-of.ts";
import { hash } from "./content-key.ts";
import { type PlanNode, withInputs } from "./nodes/plan-node.ts";
import type { Arg, ExprTree } from "./tree.ts";

/**
 * A hash over the structure of plans and the schemas of their sources, stored beside state. Values of literals and of row-wise
 * arguments count by their dtype only, so another `param` value is the same plan; what shapes state (`every`, `shift(n)`, keys,
 * names) counts in full.
 */
export function fingerprint(terminals: readonly PlanNode[], schemas: ReadonlyMap<string, Schema>): string {
  return hash(terminals.map((terminal) => structure(terminal, schemas)));
}

function structure(plan: PlanNode, schemas: ReadonlyMap<string, Schema>): unknown {
  return ownShape(
    withInputs(plan, (input) => structure(input, schemas) as PlanNode),
    schemas,
  );
}

/** What of a node counts; its inputs stay as they are. */
export function ownShape(node: PlanNode, schemas: ReadonlyMap<string, Schema>): unknown {
  switch (node.kind) {
    case "source": {
      const { id: _, schema: __, ...rest } = node;
      // columns are found by name: their order does not matter to state
      return { ...rest, schema: schemas.get(node.id) };
    }
    case "select":
    case "withColumns":
      return { ...node, exprs: node.exprs.map(shape) };
    case "filter":
      return { ...node, predicate: shape(node.predicate) };
    case "groupBy":
    case "groupByDynamic":
    case "groupBySession":
    case "groupByCount":
    case "groupByRolling":
      return { ...node, by: node.by.map(shape), aggs: node.aggs.map(shape) };
    case "keyBy": {
      const { id: _, ...rest } = node;
      return { ...rest, keys: node.keys.map(shape) };
    }
    case "sink": {
      const { id: _, ...rest } = node;
      return { ...rest, delete: node.delete && shape(node.delete) };
    }
    default:
      return node;
  }
}

/** The tree with values replaced by their dtypes where they do not shape state. */
export function shape(tree: ExprTree): unknown {
  switch (tree.kind) {
    case "col":
    case "foreign":
      return tree;
    case "lit":
      return { kind: "lit", value: kindOf(tree.value) };
    case "when":
      return {
        kind: "when",
        branches: tree.branches.map((branch) => [shape(branch.condition), shape(branch.value)]),
        otherwise: shape(tree.otherwise),
      };
    case "call":
      return { kind: "call", fn: tree.fn, self: shape(tree.self), args: tree.args.map(argument(tree)) };
    case "function":
      return { kind: "function", fn: tree.fn, args: tree.args.map(argument(tree)) };
  }
}

/** Row-wise calls whose argument is a name or a dtype, not a value. */
const NAMING = new Set(["alias", "as", "prefix", "suffix", "cast", "struct.field", "struct.renameFields"]);

function argument(tree: ExprTree): (arg: Arg) => unknown {
  const values = meaningOf(tree).is === "row-wise" && !(tree.kind === "call" && NAMING.has(tree.fn));
  const map = (arg: Arg): unknown => {
    if (arg !== null && typeof arg === "object") {
      if (Array.isArray(arg)) return values && arg.every(isScalarValue) ? "list" : arg.map(map);
      if ("$expr" in arg) return { $expr: shape(arg.$expr as unknown as ExprTree) };
      if (!Object.keys(arg)[0]?.startsWith("$"))
        return Object.fromEntries(Object.entries(arg).map(([key, value]) => [key, map(value as Arg)]));
    }
    return values ? kindOf(arg) : arg;
  };
  return map;
}

function isScalarValue(arg: Arg): boolean {
  return arg === null || typeof arg !== "object";
}

function kindOf(arg: Arg): unknown {
  if (arg === null) return "null";
  if (typeof arg !== "object") return typeof arg;
  if (Array.isArray(arg)) return arg.map(kindOf);
  const tag = Object.keys(arg)[0]!;
  if (tag === "$number") return "number";
  if (tag === "$series") return { $series: ((arg as Record<string, Arg>).$series as Arg[])[1] };
  return tag.startsWith("$") && tag !== "$dtype" && tag !== "$regex" ? tag : arg;
}
