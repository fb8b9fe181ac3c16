import type { Schema } from "../schema.ts";
import { named, outputName, union, type Wanted } from "./columns-read.ts";
import { shape } from "./fingerprint.ts";
import { isMetadata } from "./metadata.ts";
import { explodedColumns } from "./nodes/explode-node.ts";
import { INPUTS, inputsOf, type PlanNode } from "./nodes/plan-node.ts";
import { timeColumns } from "./nodes/source-node.ts";
import type { ExprTree } from "./tree.ts";

/**
 * What in a plan decides the rows of a node, as far as these columns go, as JSON data: verbs that only make other columns are left out, and
 * values of literals count by their dtype, as in the fingerprint. Where it is equal for two plans, state made of these columns is, too.
 */
export function rowsShape(node: PlanNode, wanted: Wanted, schemas: ReadonlyMap<string, Schema>): unknown {
  const inward = (input: PlanNode, columns: Wanted): unknown => rowsShape(input, columns, schemas);
  switch (node.kind) {
    case "source": {
      const { id, schema: given, ...rest } = node;
      const schema = schemas.get(id) ?? given ?? {};
      const all = union(wanted, timeColumns(node));
      const used = Object.entries(schema).filter(([name]) => all === "all" || all.has(name) || name === node.key);
      return { ...rest, schema: Object.fromEntries(used) };
    }
    case "select": {
      const exprs = contributing(node.exprs, wanted);
      return { kind: "select", exprs: exprs.map(shape), input: inward(node.input, named(exprs)) };
    }
    case "withColumns": {
      const exprs = contributing(node.exprs, wanted);
      const made = new Set(exprs.map(outputName));
      const kept = wanted === "all" ? wanted : new Set([...wanted].filter((name) => !made.has(name)));
      const input = inward(node.input, union(kept, named(exprs)));
      return exprs.length === 0 ? input : { kind: "withColumns", exprs: exprs.map(shape), input };
    }
    case "filter":
      return {
        kind: "filter",
        predicate: shape(node.predicate),
        input: inward(node.input, union(wanted, named([node.predicate]))),
      };
    case "rename": {
      const back = new Map(Object.entries(node.mapping).map(([from, to]) => [to, from]));
      if (wanted === "all") return { kind: "rename", mapping: node.mapping, input: inward(node.input, wanted) };
      const renamed = [...wanted].filter((name) => back.has(name)).map((name) => [back.get(name)!, name]);
      const input = inward(node.input, new Set([...wanted].map((name) => back.get(name) ?? name)));
      return renamed.length === 0 ? input : { kind: "rename", mapping: Object.fromEntries(renamed), input };
    }
    case "drop":
      return inward(node.input, wanted);
    case "explode":
      return {
        kind: "explode",
        column: node.column,
        ...(node.more && { more: node.more }),
        input: inward(node.input, union(wanted, new Set(explodedColumns(node)))),
      };
    case "groupBy":
    case "groupByDynamic": {
      const { input, by, aggs, ...rest } = node;
      const columns = named([...by, ...aggs]);
      const time = "indexColumn" in rest ? new Set([rest.indexColumn]) : new Set<string>();
      return { ...rest, by: by.map(shape), aggs: aggs.map(shape), input: inward(input, union(columns, time)) };
    }
    default: {
      const own = Object.entries(node).filter(([name]) => !INPUTS.includes(name));
      return { ...Object.fromEntries(own), inputs: inputsOf(node).map((input) => inward(input, "all")) };
    }
  }
}

/** Those that make a wanted column; one whose name does not show may make any. */
function contributing(exprs: readonly ExprTree[], wanted: Wanted): readonly ExprTree[] {
  if (wanted === "all") return exprs;
  return exprs.filter((expr) => {
    const name = outputName(expr);
    return name === undefined || wanted.has(name) || isMetadata(name);
  });
}
