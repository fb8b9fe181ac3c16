import polars from "nodejs-polars";
import { MillraceError } from "../error.ts";
import { dtypeOf } from "../schema.ts";
import type { Arg, ExprTree } from "./tree.ts";

/**
 * Methods of which Polars' planner has the wrong dtype in mind until they have run: it refuses what follows in the same query, and gives
 * columns of that dtype where there are no rows. A cast to what they do give tells it.
 */
const MISTAKEN: Readonly<Record<string, polars.DataType>> = { "str.lengths": polars.UInt32 };

/** Makes the expression again from its tree, by the same calls. The result is nodejs-polars' own, not recorded. */
export function replay(tree: ExprTree): polars.Expr {
  switch (tree.kind) {
    case "col":
      return polars.col(tree.name);
    case "lit":
      return polars.lit(replayArg(tree.value));
    case "call": {
      const self = replay(tree.self) as any;
      const [namespace, method] = tree.fn.split(".");
      const owner = method === undefined ? self : self[namespace!];
      const made = owner[method ?? tree.fn](...tree.args.map(replayArg));
      const dtype = MISTAKEN[tree.fn];
      return dtype === undefined ? made : made.cast(dtype);
    }
    case "function":
      if (tree.fn === "maxHorizontal" || tree.fn === "minHorizontal")
        return extreme(replayArg(tree.args[0]!) as (polars.Expr | string)[], tree.fn === "maxHorizontal");
      return (polars as any)[tree.fn](...tree.args.map(replayArg));
    case "when": {
      let chain: any = polars;
      for (const { condition, value } of tree.branches) chain = chain.when(replay(condition)).then(replay(value));
      return chain.otherwise(replay(tree.otherwise));
    }
    case "foreign":
      throw new MillraceError({ code: "FOREIGN_EXPRESSION", what: `${tree.text} was not built with millrace's pl` });
  }
}

/**
 * The greatest or least of each row, NaN above every number as where Polars compares. Its own functions give now one and now the other of NaN and a
 * number, by whether any row of the frame has a null, and whether there is more than one: no meaning that batches could keep.
 */
function extreme(exprs: readonly (polars.Expr | string)[], greatest: boolean): polars.Expr {
  if (exprs.length === 1) return typeof exprs[0] === "string" ? polars.lit(exprs[0]) : exprs[0]!; // text is text to them
  const half = Math.ceil(exprs.length / 2);
  const [a, b] = [extreme(exprs.slice(0, half), greatest), extreme(exprs.slice(half), greatest)];
  return polars
    .when(b.isNull().or(greatest ? a.gt(b) : a.lt(b)))
    .then(a)
    .otherwise(b);
}

export function replayArg(arg: Arg): any {
  if (arg === null || typeof arg !== "object") return arg;
  if (Array.isArray(arg)) return arg.map(replayArg);
  const tagged = arg as Record<string, any>;
  const tag = Object.keys(tagged)[0];
  switch (tag) {
    case "$expr":
      return replay(tagged.$expr);
    case "$date":
      return new Date(tagged.$date);
    case "$bigint":
      return BigInt(tagged.$bigint);
    case "$number":
      return Number(tagged.$number);
    case "$regex":
      return new RegExp(tagged.$regex[0], tagged.$regex[1]);
    case "$dtype":
      return dtypeOf(tagged.$dtype);
    case "$dtypeFunction":
      return (polars as any)[tagged.$dtypeFunction];
    case "$series":
      return polars.Series(tagged.$series[0], tagged.$series[2].map(replayArg), dtypeOf(tagged.$series[1]));
    case "$undefined":
      return undefined;
    case "$opaque":
      throw new MillraceError({ code: "OPAQUE_ARGUMENT", what: `${tagged.$opaque} cannot travel in a plan` });
    default:
      return Object.fromEntries(Object.entries(tagged).map(([key, value]) => [key, replayArg(value)]));
  }
}
