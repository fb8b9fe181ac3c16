import type { DebuggedCells } from "./debugged-cells.ts";
import type { Inspector } from "./inspector.ts";

export interface SourceBreakpoint {
  readonly line: number;
  /** An expression: the breakpoint holds only where it is true. */
  readonly condition?: string;
}

/** A breakpoint as the client is told of it: `verified` once its cell has been loaded. */
export interface Breakpoint {
  readonly id: number;
  readonly verified: boolean;
  readonly line: number;
  readonly source: { readonly path: string };
}

/** The breakpoints by cell text. A cell's are set in each script made of that text, at the moment it is loaded and before it runs. */
export class Breakpoints {
  readonly #inspector: Inspector;
  readonly #cells: DebuggedCells;
  readonly #wanted = new Map<string, readonly SourceBreakpoint[]>();
  /** path -> V8's ids of what is set. */
  readonly #set = new Map<string, string[]>();
  #lastId = 0;

  constructor(inspector: Inspector, cells: DebuggedCells) {
    this.#inspector = inspector;
    this.#cells = cells;
  }

  /** As `debugInfo` lists them. */
  get all(): { source: string; breakpoints: readonly SourceBreakpoint[] }[] {
    return [...this.#wanted].map(([source, breakpoints]) => ({ source, breakpoints }));
  }

  /** Takes the place of all breakpoints of that cell text. */
  async replace(path: string, breakpoints: readonly SourceBreakpoint[]): Promise<Breakpoint[]> {
    for (const breakpointId of this.#set.get(path) ?? [])
      await this.#inspector.send("Debugger.removeBreakpoint", { breakpointId });
    this.#set.delete(path);
    if (breakpoints.length === 0) this.#wanted.delete(path);
    else this.#wanted.set(path, breakpoints);
    const lines = new Map<number, number>();
    for (const name of this.#cells.at(path))
      for (const [asked, line] of await this.#setIn(name)) lines.set(asked, line);
    return breakpoints.map(({ line }) => ({
      id: ++this.#lastId,
      // Before the cell runs nothing is known to be wrong with it; a client would draw an unverified one as refused.
      verified: true,
      line: lines.get(line) ?? line,
      source: { path },
    }));
  }

  /** A cell has been loaded: what is wanted in its text is set in its script. */
  async loaded(name: string): Promise<void> {
    if (this.#wanted.has(this.#cells.pathOfCell(name))) await this.#setIn(name);
  }

  /** Line asked for -> line set: the first place at or below it where V8 can stop. */
  async #setIn(name: string): Promise<Map<number, number>> {
    const set = new Map<number, number>();
    const scriptId = this.#cells.scriptOf(name);
    const path = this.#cells.pathOfCell(name);
    if (scriptId === undefined) return set;
    const start = { scriptId, lineNumber: 0, columnNumber: 0 };
    const { locations } = await this.#inspector.send("Debugger.getPossibleBreakpoints", { start });
    const places = (locations as { scriptId: string; lineNumber: number; columnNumber: number }[]).flatMap(
      (location) => {
        const original = this.#cells.original(name, location.lineNumber, location.columnNumber);
        return original === undefined ? [] : [{ location, line: original.line, column: original.column }];
      },
    );
    for (const { line, condition } of this.#wanted.get(path) ?? []) {
      const below = places.filter((place) => place.line >= line);
      const nearest = Math.min(...below.map((place) => place.line));
      const chosen = below.find((place) => place.line === nearest);
      if (chosen === undefined) continue;
      const { breakpointId } = await this.#inspector
        .send("Debugger.setBreakpoint", { location: chosen.location, ...(condition ? { condition } : {}) })
        .catch(() => ({ breakpointId: undefined })); // two lines that lead to the same place
      if (breakpointId !== undefined) this.#set.set(path, [...(this.#set.get(path) ?? []), breakpointId]);
      set.set(line, chosen.line);
    }
    return set;
  }
}
