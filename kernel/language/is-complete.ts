import ts from "typescript";
import type { Completeness } from "./service.ts";

/** Codes of an error that more text would cure wherever it stands: an unterminated template or comment. */
const UNTERMINATED = new Set([1160, 1010]);
/** A string in quotes cannot go on in the next line. */
const UNTERMINATED_STRING = 1002;

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
  if (first === undefined) return { status: "complete" };
  const end = source.trimEnd().length;
  if (first.code === UNTERMINATED_STRING) return { status: "invalid" };
  const atEnd = (first.start ?? 0) >= end || UNTERMINATED.has(first.code);
  return atEnd ? { status: "incomplete", indent: nextIndent(source) } : { status: "invalid" };
}

/** The last line's indentation, one step further after an opening bracket. */
function nextIndent(source: string): string {
  const last = source.trimEnd().split("\n").at(-1) ?? "";
  const indent = /^\s*/.exec(last)![0];
  return /[{([]$|=>$/.test(last) ? `${indent}  ` : indent;
}
