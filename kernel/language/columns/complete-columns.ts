import ts from "typescript";
import { columnSite, isCompared } from "./column-site.ts";
import type { FrameColumns } from "./frame-columns.ts";
import type { Columns } from "./known-columns.ts";
import { rowSite } from "./row-site.ts";

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
    const site = isCompared(node) ? undefined : (columnSite(node, frames) ?? rowSite(node, frames));
    return site && { columns: frames.of(site), start, end, typed: file.text.slice(start, at) };
  }
  return rowColumns(node, file, at, frames);
}

/** `row.` and `({ x }) =>` in code over rows. */
function rowColumns(node: ts.Node, file: ts.SourceFile, at: number, frames: FrameColumns): ColumnsAt | undefined {
  const access = ts.isPropertyAccessExpression(node) ? node : undefined;
  // right behind the dot the innermost node is the access itself
  const name = access !== undefined && at > access.expression.end ? access.name : node;
  const frame = ts.isIdentifier(name) ? rowSite(name, frames) : undefined;
  if (frame === undefined) return undefined;
  // without a name yet, the one that stands there is missing, and begins behind the blanks that follow
  const start = access === undefined ? name.getStart(file) : file.text.indexOf(".", access.expression.end) + 1;
  if (at < start) return undefined;
  const rest = /^[\p{ID_Continue}$]*/u.exec(file.text.slice(at))![0];
  return { columns: frames.of(frame), start, end: at + rest.length, typed: file.text.slice(start, at) };
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
