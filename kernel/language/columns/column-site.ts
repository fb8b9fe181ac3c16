import ts from "typescript";
import type { FrameColumns } from "./frame-columns.ts";
import { bare } from "./literals.ts";

/** Verbs whose arguments are columns, by name or as expressions. */
const COLUMN_ARGUMENTS = /^(select|withColumns?|drop|dropNulls|groupBy|explode|unnest|keyBy)$/;
/** Verbs of whose arguments only the first names a column. */
const FIRST_ARGUMENT = /^withColumnRenamed$/;
/** Verbs whose first argument is an object with columns for keys. */
const COLUMN_KEYS = /^(rename|trace)$/;
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
  joinAsof: ["on", "leftOn", "by", "byLeft"],
  plot: ["x", "y", "by", "z"],
  to: ["key", "value"],
  toTable: ["key"],
};
/** And those that name columns of the frame which is their first argument. */
const OTHER_OPTIONS: Readonly<Record<string, readonly string[]>> = {
  join: ["rightOn"],
  joinAsof: ["rightOn", "byRight"],
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

/** The frame whose column a string, or the key of an object, in a cell names; undefined for those that are no columns. */
export function columnSite(name: ts.Node, frames: FrameColumns): ts.Expression | undefined {
  if (ts.isPropertyAssignment(name.parent) && name.parent.name === name) return keySite(name.parent, frames);
  if (!ts.isStringLiteralLike(name)) return undefined;
  const holder = ts.isArrayLiteralExpression(name.parent) ? name.parent : name;
  const { parent } = holder;
  if (ts.isCallExpression(parent) && parent.arguments.includes(holder as ts.Expression)) {
    const callee = bare(parent.expression);
    if (ts.isIdentifier(callee)) return callee.text === "col" ? frameAround(parent, frames) : undefined;
    if (!ts.isPropertyAccessExpression(callee)) return undefined;
    const method = callee.name.text;
    if (method === "col" && ts.isIdentifier(bare(callee.expression))) return frameAround(parent, frames);
    if (method === "over" || COMPARED.test(method)) return frameAround(parent, frames);
    const names =
      COLUMN_ARGUMENTS.test(method) || (FIRST_ARGUMENT.test(method) && parent.arguments[0] === (holder as ts.Node));
    return names && frames.isFrame(callee.expression) ? callee.expression : undefined;
  }
  return ts.isPropertyAssignment(parent) && parent.initializer === holder ? optionSite(parent, frames) : undefined;
}

/** The frame that a verb's option names columns of. */
function optionSite(option: ts.PropertyAssignment, frames: FrameColumns): ts.Expression | undefined {
  const { callee, call } = verbOf(option.parent) ?? {};
  if (callee === undefined || !frames.isFrame(callee.expression)) return undefined;
  const [verb, name] = [callee.name.text, option.name.getText()];
  if (COLUMN_OPTIONS[verb]?.includes(name)) return callee.expression;
  const [other] = call!.arguments;
  return OTHER_OPTIONS[verb]?.includes(name) && other !== undefined && frames.isFrame(other) ? other : undefined;
}

/** The frame whose columns are the keys of an object. */
function keySite({ parent }: ts.PropertyAssignment, frames: FrameColumns): ts.Expression | undefined {
  const { callee, call } = verbOf(parent) ?? {};
  if (callee === undefined || call!.arguments[0] !== parent || !COLUMN_KEYS.test(callee.name.text)) return undefined;
  return frames.isFrame(callee.expression) ? callee.expression : undefined;
}

/** The method that an object is an argument of. */
function verbOf({ parent: call }: ts.ObjectLiteralExpression) {
  if (!ts.isCallExpression(call)) return undefined;
  const callee = bare(call.expression);
  return ts.isPropertyAccessExpression(callee) ? { call, callee } : undefined;
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
