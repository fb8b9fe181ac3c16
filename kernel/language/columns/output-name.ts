import ts from "typescript";
import { bare, textOf } from "./literals.ts";

/** Methods after which a column has another name than before, or several. */
const RENAMING = /^(suffix|prefix|keepName|mapAlias|name|struct|exclude|toPhysical)$/;

/** The name of the column that an expression makes, as far as its text tells: `pl.col("a").abs().alias("b")` makes `b`. */
export function outputName(expression: ts.Expression): string | undefined {
  let node = bare(expression);
  const text = textOf(node);
  if (text !== undefined) return /^\^.*\$$|^\*$/.test(text) ? undefined : text;
  for (;;) {
    node = bare(node);
    if (ts.isPropertyAccessExpression(node)) {
      if (RENAMING.test(node.name.text)) return undefined;
      node = node.expression; // a namespace: .str, .dt
      continue;
    }
    if (!ts.isCallExpression(node)) return undefined;
    const callee = bare(node.expression);
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const method = callee.name.text;
    if (RENAMING.test(method)) return undefined;
    if (method === "alias" || method === "as") return textOf(node.arguments[0]);
    if (ts.isIdentifier(bare(callee.expression))) {
      // pl.col("a"), pl.len(): where the chain begins
      if (method === "col" && node.arguments.length === 1) {
        const name = textOf(node.arguments[0]);
        return name !== undefined && /^\^.*\$$|^\*$/.test(name) ? undefined : name;
      }
      return method === "len" && node.arguments.length === 0 ? "len" : undefined;
    }
    node = callee.expression;
  }
}
