import type { CellSession } from "./cell-session.ts";
import { codePointsFromUnits, unitsFromCodePoints } from "./code-points.ts";
import type { Completions } from "./service.ts";

/** The names that can stand at the cursor and begin with what is typed. Only the identifier at the cursor is replaced. */
export function complete(session: CellSession, source: string, cursor: number): Completions {
  const at = unitsFromCodePoints(source, cursor);
  const file = session.scratch(source);
  const found = session.service.getCompletionsAtPosition(file, at, { includeCompletionsWithInsertText: false });
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
  return {
    matches: chosen.map(({ name }) => name),
    cursorStart: codePointsFromUnits(source, own.start),
    cursorEnd: codePointsFromUnits(source, own.start + own.length),
    items: chosen.map(({ name, kind }) => ({ text: name, type: kind })),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
