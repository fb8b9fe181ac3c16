import ts from "typescript";
import type { CellSession } from "./cell-session.ts";
import { codePointsFromUnits, unitsFromCodePoints } from "./code-points.ts";
import { type ColumnsAt, columnsAt } from "./columns/complete-columns.ts";
import type { Completions } from "./service.ts";

/** The names that can stand at the cursor and begin with what is typed. Only the identifier at the cursor is replaced. */
export function complete(session: CellSession, source: string, cursor: number): Completions {
  const at = unitsFromCodePoints(source, cursor);
  const file = session.scratch(source);
  const { file: parsed, frames } = session.frameColumns(file);
  const columns = columnsAt(parsed, at, frames);
  if (columns !== undefined && columns.columns.types.size > 0) return ofColumns(source, columns);
  const found = session.service.getCompletionsAtPosition(file, at, {
    includeCompletionsWithInsertText: false,
    includeSymbol: true,
  });
  const typed = /[\p{ID_Continue}$\u200c\u200d]*$/u.exec(source.slice(0, at))![0];
  const rest = /^[\p{ID_Continue}$\u200c\u200d]*/u.exec(source.slice(at))![0];
  const span = found?.optionalReplacementSpan ?? { start: at - typed.length, length: typed.length + rest.length };
  // A path or a literal in quotes has its own idea of what is replaced.
  const entries = found?.entries ?? [];
  const own = entries.find(({ replacementSpan }) => replacementSpan !== undefined)?.replacementSpan ?? span;
  const prefix = source.slice(own.start, at);
  const fitting = entries.filter(({ name }) => name.startsWith(prefix));
  const lenient = entries.filter(({ name }) => name.toLowerCase().startsWith(prefix.toLowerCase()));
  const chosen = (fitting.length > 0 ? fitting : lenient).sort(
    (a, b) => compare(a.sortText, b.sortText) || compare(a.name, b.name),
  );
  const checker = session.service.getProgram()!.getTypeChecker();
  return {
    matches: chosen.map(({ name }) => name),
    cursorStart: codePointsFromUnits(source, own.start),
    cursorEnd: codePointsFromUnits(source, own.start + own.length),
    items: chosen.map((entry) => ({ text: entry.name, type: kindOf(entry, checker) })),
  };
}

/** A name of an earlier cell is an import to the compiler, as is much of a package: the user is told what it stands for. */
function kindOf({ kind, symbol }: ts.CompletionEntry, checker: ts.TypeChecker): string {
  if (kind !== ts.ScriptElementKind.alias || symbol === undefined) return kind;
  const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return KINDS.find(([of]) => (flags & of) !== 0)?.[1] ?? kind;
}

const KINDS: readonly (readonly [ts.SymbolFlags, ts.ScriptElementKind])[] = [
  [ts.SymbolFlags.Function, ts.ScriptElementKind.functionElement],
  [ts.SymbolFlags.Class, ts.ScriptElementKind.classElement],
  [ts.SymbolFlags.Enum, ts.ScriptElementKind.enumElement],
  [ts.SymbolFlags.Variable, ts.ScriptElementKind.constElement],
  [ts.SymbolFlags.Module, ts.ScriptElementKind.moduleElement],
  [ts.SymbolFlags.Interface, ts.ScriptElementKind.interfaceElement],
  [ts.SymbolFlags.TypeAlias, ts.ScriptElementKind.typeElement],
];

/** In the order of the frame, with their dtypes. */
function ofColumns(source: string, { columns: { types }, start, end, typed }: ColumnsAt): Completions {
  const names = [...types.keys()];
  const fitting = names.filter((name) => name.startsWith(typed));
  const chosen =
    fitting.length > 0 ? fitting : names.filter((name) => name.toLowerCase().startsWith(typed.toLowerCase()));
  return {
    matches: chosen,
    cursorStart: codePointsFromUnits(source, start),
    cursorEnd: codePointsFromUnits(source, end),
    items: chosen.map((name) => ({ text: name, type: types.get(name) ?? "column" })),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
