import ts from "typescript";
import type { FrameColumns } from "./frame-columns.ts";
import { bare } from "./literals.ts";

/** Verbs whose arguments are columns, by name or as expressions. */
const COLUMN_ARGUMENTS = /^(select|withColumns|drop|groupBy|explode|unnest|keyBy)$/;
/** Verbs whose options name columns of the frame they are called on. */
const COLUMN_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  groupByDynamic: ["indexColumn", "by"],
  groupByRolling: ["indexColumn", "by"],
  groupBySession: ["indexColumn", "by"],
  groupByCount: ["by"],
  unique: ["subset"],
  process: ["by"],
  map: ["keep"],
  flatMap: ["keep"],
  predict: ["features"],
  join: ["on", "leftOn"],
  joinAsof: ["on", "leftOn", "by", "byLeft", "leftBy"],
  plot: ["x", "y", "by"],
  to: ["key", "value"],
  toTable: ["key"],
};

/** Comparisons, in which nodejs-polars takes a bare string for the name of a column. */
const COMPARED = /^(eq|neq|gt|gtEq|lt|ltEq|equals)$/;

/** Whether a string stands where people mean its text: a column is named by it all the same. */
export function isCompared(literal: ts.Node): boolean {
  const { parent } = literal;
  if (!ts.isCallExpression(parent)) return false;
  const callee = bare(parent.expression);
  return ts.isPropertyAccessExpression(callee) && COMPARED.test(callee.name.text);
}

/** The frame whose column a string in a cell names; undefined for strings that are no columns. */
export function columnSite(literal: ts.Node, frames: FrameColumns): ts.Expression | undefined {
  const holder = ts.isArrayLiteralExpression(literal.parent) ? literal.parent : literal;
  const { parent } = holder;
  if (ts.isCallExpression(parent) && parent.arguments.includes(holder as ts.Expression)) {
    const callee = bare(parent.expression);
    if (ts.isIdentifier(callee)) return callee.text === "col" ? frameAround(parent, frames) : undefined;
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const method = callee.name.text;
    if (method === "col" && ts.isIdentifier(bare(callee.expression))) return frameAround(parent, frames);
    if (method === "over" || COMPARED.test(method)) return frameAround(parent, frames);
    return COLUMN_ARGUMENTS.test(method) && frames.isFrame(callee.expression) ? callee.expression : undefined;
  }
  if (ts.isPropertyAssignment(parent) && parent.initializer === holder) {
    const [call, option] = [parent.parent.parent, parent.name.getText()];
    if (!ts.isCallExpression(call)) return undefined;
    const callee = bare(call.expression);
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    return COLUMN_OPTIONS[callee.name.text]?.includes(option) && frames.isFrame(callee.expression)
      ? callee.expression
      : undefined;
  }
  return undefined;
}

/** The frame whose verb an expression is written in. */
function frameAround(node: ts.Node, frames: FrameColumns): ts.Expression | undefined {
  for (let { parent } = node; parent !== undefined; parent = parent.parent) {
    if (ts.isFunctionLike(parent) || ts.isStatement(parent)) return undefined;
    if (!ts.isCallExpression(parent)) continue;
    const callee = bare(parent.expression);
    if (!ts.isPropertyAccessExpression(callee)) continue;
    if (node.pos < callee.end && node.end <= callee.end) continue; // it is in the receiver
    if (frames.isFrame(callee.expression)) return callee.expression;
    if (callee.name.text === "agg") {
      const frame = frames.grouped(callee.expression);
      if (frame !== undefined) return frame;
    }
  }
  return undefined;
}
