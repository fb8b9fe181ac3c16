import ts from "typescript";
import { columnSite, isCompared } from "./column-site.ts";
import type { FrameColumns } from "./frame-columns.ts";
import type { Columns } from "./known-columns.ts";
import { bare } from "./literals.ts";

export interface ColumnsAt {
  readonly columns: Columns;
  /** What a chosen name replaces, and what of it is typed. */
  readonly start: number;
  readonly end: number;
  readonly typed: string;
}

/** The columns that can stand at a place: inside quotes, or behind the row of a function over rows. */
export function columnsAt(file: ts.SourceFile, at: number, frames: FrameColumns): ColumnsAt | undefined {
  const node = nodeAt(file, at);
  if (node === undefined) return undefined;
  if (ts.isStringLiteralLike(node)) {
    const start = node.getStart(file) + 1;
    if (at < start) return undefined;
    const closed = file.text[node.end - 1] === file.text[start - 1] && node.end - 1 >= start;
    const end = closed ? node.end - 1 : at;
    if (at > end) return undefined;
    const site = isCompared(node) ? undefined : columnSite(node, frames);
    return site && { columns: frames.of(site), start, end, typed: file.text.slice(start, at) };
  }
  return rowColumns(node, file, at, frames);
}

/** `row.` in `f.map((row) => …)`, `flatMap` and `process({ onRow })`. */
function rowColumns(node: ts.Node, file: ts.SourceFile, at: number, frames: FrameColumns): ColumnsAt | undefined {
  const access = ts.isPropertyAccessExpression(node) ? node : node.parent;
  if (access === undefined || !ts.isPropertyAccessExpression(access) || !ts.isIdentifier(access.expression))
    return undefined;
  const dot = access.expression.end;
  if (at <= dot || file.text[dot] !== ".") return undefined;
  const frame = frameOfRow(access.expression, frames);
  if (frame === undefined) return undefined;
  const rest = /^[\p{ID_Continue}$]*/u.exec(file.text.slice(at))![0];
  return { columns: frames.of(frame), start: dot + 1, end: at + rest.length, typed: file.text.slice(dot + 1, at) };
}

function frameOfRow(id: ts.Identifier, frames: FrameColumns): ts.Expression | undefined {
  for (let node: ts.Node = id; node.parent !== undefined; node = node.parent) {
    if (!ts.isArrowFunction(node) && !ts.isFunctionExpression(node) && !ts.isMethodDeclaration(node)) continue;
    const row = node.parameters[0]?.name;
    if (row === undefined || !ts.isIdentifier(row) || row.text !== id.text) continue;
    const holder = ts.isPropertyAssignment(node.parent) ? node.parent : node;
    const call = ts.isObjectLiteralExpression(holder.parent) ? holder.parent.parent : holder.parent;
    if (!ts.isCallExpression(call)) return undefined;
    const callee = bare(call.expression);
    if (!ts.isPropertyAccessExpression(callee) || !/^(map|flatMap|process)$/.test(callee.name.text)) return undefined;
    return frames.isFrame(callee.expression) ? callee.expression : undefined;
  }
  return undefined;
}

/** The innermost node that the place is in, or right behind. */
function nodeAt(file: ts.SourceFile, at: number): ts.Node | undefined {
  let found: ts.Node | undefined;
  const visit = (node: ts.Node) => {
    if (node.getStart(file) > at || node.end < at) return;
    found = node;
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}
