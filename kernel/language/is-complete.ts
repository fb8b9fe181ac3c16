import ts from "typescript";
import type { Completeness } from "./service.ts";

/** Codes of an error that more text would cure wherever it stands: an unterminated template or comment. */
const UNTERMINATED = new Set([1160, 1010]);
/** A string in quotes (1002) and a regular expression (1161) cannot go on in the next line. */
const ENDS_WITH_ITS_LINE = new Set([1002, 1161]);

/**
 * Whether a console should run what was typed or wait for more. Text is incomplete when its only fault is that it ends: the parser's first
 * complaint lies at the very end.
 */
export function isComplete(source: string): Completeness {
  const { diagnostics = [] } = ts.transpileModule(source, {
    reportDiagnostics: true,
    compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const first = diagnostics.find(({ category }) => category === ts.DiagnosticCategory.Error);
  if (first === undefined) return { status: returnsAtTopLevel(source) ? "invalid" : "complete" };
  const end = source.trimEnd().length;
  if (ENDS_WITH_ITS_LINE.has(first.code)) return { status: "invalid" };
  const atEnd = (first.start ?? 0) >= end || UNTERMINATED.has(first.code);
  return atEnd ? { status: "incomplete", indent: nextIndent(source) } : { status: "invalid" };
}

/** The parser lets a `return` outside of functions pass; a cell with one does not compile. */
function returnsAtTopLevel(source: string): boolean {
  if (!source.includes("return")) return false;
  const search = (node: ts.Node): boolean =>
    ts.isReturnStatement(node) ||
    (!ts.isFunctionLike(node) &&
      !ts.isClassStaticBlockDeclaration(node) &&
      (ts.forEachChild(node, (child) => search(child) || undefined) ?? false));
  return search(ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest));
}

/** The last line's indentation, one step further after an opening bracket. */
function nextIndent(source: string): string {
  const last = source.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(last)![0];
  return /[{([]$|=>$/.test(last) ? `${indent}  ` : indent;
}
