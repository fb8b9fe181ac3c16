import polars from "nodejs-polars";
import { pl } from "../plan/pl.ts";
import { treeOf } from "../plan/record.ts";
import type { ExprTree } from "../plan/tree.ts";

/** What verbs take for a column: an expression of `pl`, or the name of a column. */
export type ExprOrString = polars.Expr | string;
export type Columns = ExprOrString | readonly (ExprOrString | readonly ExprOrString[])[];

/** The expressions of a verb's arguments; strings are columns and other values literals, as in nodejs-polars. */
export function trees(args: readonly unknown[]): ExprTree[] {
  return args.flat(3).map(tree);
}

export function tree(arg: unknown): ExprTree {
  if (polars.Expr.isExpr(arg)) return treeOf(arg as polars.Expr);
  return treeOf(typeof arg === "string" ? pl.col(arg) : pl.lit(arg as any));
}
