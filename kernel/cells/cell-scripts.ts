import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { constants, Script } from "node:vm";
import type { CompiledCell } from "../language/compiled-cell.ts";
import type { CELL_LOCALS } from "../language/emitted-names.ts";
import type { Binding } from "./bindings.ts";
import { cellTimers } from "./cell-timers.ts";
import type { CellMeta, Importer } from "./modules.ts";

/** Resolves with the cell's last expression as the only element; with nothing where it has none. */
export type CellFunction = (
  bindings: Record<string, Binding>,
  importer: Importer,
  meta: CellMeta,
) => Promise<readonly [unknown] | undefined>;

interface Position {
  readonly line: number;
  readonly column: number;
}

/** The scripts of the cells that ran, by name (`cell 3`), with what is needed to lead a stack back to the TypeScript the user wrote. */
export class CellScripts {
  readonly #maps = new Map<string, { map: SourceMap; source: string }>();
  /** Of local modules that were compiled: URL -> map. */
  readonly #modules = new Map<string, SourceMap>();
  readonly #locals: Record<(typeof CELL_LOCALS)[number], unknown>;

  /** @param folder the notebook's */
  constructor(folder: string) {
    this.#locals = { ...cellTimers, __dirname: folder, __filename: path.join(folder, "notebook.ts") };
    Error.prepareStackTrace = (error, frames) =>
      [headline(error), ...this.#ofCells(frames).map((frame) => `    at ${this.#describe(frame)}`)].join("\n");
  }

  load(name: string, { javaScript, sourceMap, source }: CompiledCell): CellFunction {
    this.#maps.set(name, { map: new SourceMap(JSON.parse(sourceMap)), source });
    const script = new Script(javaScript, {
      filename: name,
      importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
    });
    const { setTimeout, setInterval, setImmediate, __dirname, __filename } = this.#locals;
    const withLocals = script.runInThisContext() as (...locals: readonly unknown[]) => CellFunction;
    return withLocals(setTimeout, setInterval, setImmediate, __dirname, __filename);
  }

  /** A local module whose JavaScript has other positions than its text. */
  mapped(url: string, sourceMap: string): void {
    this.#modules.set(url, new SourceMap(JSON.parse(sourceMap)));
  }

  /** The cells that ran, for a debugger. */
  all(): { name: string; source: string; sourceMap: SourceMapPayload }[] {
    return [...this.#maps].map(([name, { map, source }]) => ({ name, source, sourceMap: map.payload }));
  }

  has(name: string): boolean {
    return this.#maps.has(name);
  }

  /** Where in the text of a cell, or of a module that was compiled, a position of the emitted code lies; lines and columns from 1. */
  original(name: string, { line, column }: Position): Position | undefined {
    const map = this.#maps.get(name)?.map ?? this.#modules.get(name);
    const entry = map?.findEntry(line - 1, column - 1);
    if (entry === undefined || !("originalLine" in entry)) return undefined;
    return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }

  /** What lies below a cell is the kernel that called it. */
  #ofCells(frames: readonly NodeJS.CallSite[]): readonly NodeJS.CallSite[] {
    const last = frames.findLastIndex((frame) => this.has(frame.getFileName() ?? ""));
    return last === -1 ? frames : frames.slice(0, last + 1);
  }

  /** A frame as V8 prints it, its place led back to the text the user wrote. */
  #describe(frame: NodeJS.CallSite): string {
    const name = frame.getFileName();
    const line = frame.getLineNumber();
    const column = frame.getColumnNumber();
    const text = String(frame);
    if (typeof name !== "string" || line === null || column === null) return text;
    const at = this.original(name, { line, column });
    return at === undefined ? text : text.replace(`${name}:${line}:${column}`, `${name}:${at.line}:${at.column}`);
  }

  sourceLine(name: string, line: number): string | undefined {
    return this.#maps.get(name)?.source.split("\n")[line - 1];
  }
}

/** What `Error.prototype.toString` gives; not every thrown thing can say it. */
function headline(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "Error";
  }
}
