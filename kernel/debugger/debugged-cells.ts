import { SourceMap, type SourceMapPayload } from "node:module";
import path from "node:path";
import { murmur2 } from "./murmur2.ts";

/** How a client finds the name of a cell from its text: prefix, hash with this seed, suffix. */
export const HASH_SEED = 0x6d696c6c;

export interface LoadedCell {
  /** Its name, `cell 3`; also the URL of its script. */
  readonly name: string;
  readonly source: string;
  readonly sourceMap: SourceMapPayload;
}

export interface Place {
  readonly path: string;
  /** From 1, in the cell's text. */
  readonly line: number;
  readonly column: number;
}

interface Cell {
  readonly path: string;
  readonly map: SourceMap;
  scriptId: string | undefined;
}

/** The cells that ran, as the debugger speaks of them: a cell is a file named by its text, and its script is what V8 runs. */
export class DebuggedCells {
  readonly prefix: string;
  readonly suffix = ".ts";
  readonly #cells = new Map<string, Cell>();
  readonly #scripts = new Map<string, string>();
  readonly #sources = new Map<string, string>();

  /** @param folder that no other kernel uses; nothing is written to it */
  constructor(folder: string) {
    this.prefix = folder + path.sep;
  }

  pathOf(source: string): string {
    return `${this.prefix}${murmur2(source, HASH_SEED)}${this.suffix}`;
  }

  /** Notes a text under its path, whether it ran or not. */
  dump(source: string): string {
    const file = this.pathOf(source);
    this.#sources.set(file, source);
    return file;
  }

  source(file: string): string | undefined {
    return this.#sources.get(file);
  }

  loaded({ name, source, sourceMap }: LoadedCell): void {
    if (!this.#cells.has(name))
      this.#cells.set(name, {
        path: this.dump(source),
        map: new SourceMap(sourceMap),
        scriptId: this.#scripts.get(name),
      });
  }

  /** V8 has parsed a script; those of cells are told by their URL. */
  parsed(url: string, scriptId: string): void {
    this.#scripts.set(url, scriptId);
    const cell = this.#cells.get(url);
    if (cell !== undefined) cell.scriptId = scriptId;
  }

  /** The cell that a script belongs to, if any. Frames tell the script only: their own URL is empty. */
  nameOf(scriptId: string): string | undefined {
    for (const [name, cell] of this.#cells) if (cell.scriptId === scriptId) return name;
    return undefined;
  }

  /** Names of the cells with this text. */
  at(file: string): string[] {
    return [...this.#cells].filter(([, cell]) => cell.path === file).map(([name]) => name);
  }

  scriptOf(name: string): string | undefined {
    return this.#cells.get(name)?.scriptId;
  }

  pathOfCell(name: string): string {
    return this.#cells.get(name)!.path;
  }

  /** Where in a cell's text a position of V8's lies; both of its numbers from 0. */
  original(name: string, lineNumber: number, columnNumber: number): Place | undefined {
    const cell = this.#cells.get(name);
    const entry = cell?.map.findEntry(lineNumber, columnNumber);
    if (cell === undefined || entry === undefined || !("originalLine" in entry)) return undefined;
    return { path: cell.path, line: entry.originalLine + 1, column: entry.originalColumn + 1 };
  }
}
