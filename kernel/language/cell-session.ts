import path from "node:path";
import ts from "typescript";
import { unknownColumns } from "./columns/check-columns.ts";
import { FrameColumns } from "./columns/frame-columns.ts";
import { KnownColumns } from "./columns/known-columns.ts";
import type { CellDiagnostic, CompiledCell } from "./compiled-cell.ts";
import { cellCompilerOptions, isTolerated } from "./compiler-options.ts";
import { globalsFile } from "./globals.ts";
import { type DeclaredName, declaredNames, mentionedNames } from "./names.ts";
import { ModuleResolver } from "./resolve-modules.ts";
import { cellTransformer } from "./transform.ts";

interface VisibleName {
  readonly file: string;
  readonly kind: DeclaredName["kind"];
}

/** A cell's text as the language service sees it: the user's text first, so that positions are the same, then what ties it to the other cells. */
interface CellFile {
  readonly text: string;
  /** What the user wrote. */
  readonly source: string;
  readonly userEnd: number;
  readonly version: number;
  readonly snapshot: ts.IScriptSnapshot;
}

/**
 * The cells of a session as a TypeScript program: one virtual module per executed cell, lying in the notebook's folder. A cell exports its top-level
 * names and imports those of earlier cells that it mentions; the latest definition of a name wins. Checking a cell looks only at that cell
 * and at the declarations it leads to, so the hundredth is as fast as the second.
 */
export class CellSession {
  readonly service: ts.LanguageService;
  /** The columns of the session's frames. */
  readonly columns = new KnownColumns();
  readonly #folder: string;
  readonly #files = new Map<string, CellFile>();
  /** The cells' names by the numbers of their files. */
  readonly #names = new Map<number, string>();
  readonly #visible = new Map<string, VisibleName>();
  readonly #scratch: string;
  readonly #resolver: ModuleResolver;
  #cells = 0;
  #version = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#scratch = path.join(folder, "__cell_scratch.ts");
    this.#resolver = new ModuleResolver(folder);
    this.#set(this.#scratch, { text: "", source: "", userEnd: 0 });
    this.service = ts.createLanguageService(this.#host(), ts.createDocumentRegistry());
  }

  /** Checks and compiles a cell. What it declares is visible to later cells, unless it has type errors. */
  compile(name: string, source: string): CompiledCell {
    const file = path.join(this.#folder, `__cell_${++this.#cells}.ts`);
    this.#names.set(this.#cells, name);
    const declared = this.#put(file, source, false);
    const typeErrors = this.#diagnostics(file, name);
    const diagnostics = typeErrors.length > 0 ? typeErrors : this.#unknownColumns(file, name);
    if (diagnostics.length > 0) {
      this.#files.delete(file);
      return { source, javaScript: "", sourceMap: "", diagnostics, declares: [], uses: [] };
    }
    const declares = declared.map((each) => each.name);
    const { used, ...emitted } = this.#emit(file, [...declares, ...this.#visible.keys()]);
    for (const { name: declaredName, kind } of declared) this.#visible.set(declaredName, { file, kind });
    return { source, ...emitted, diagnostics, declares, uses: used.filter((each) => !declares.includes(each)) };
  }

  /** Puts a text where completion and inspection can ask about it, with every name of the session in view. */
  scratch(source: string): string {
    this.#put(this.#scratch, source, true);
    return this.#scratch;
  }

  /** Checks and compiles a text as a cell, and forgets it: what runs once more runs faster. */
  rehearse(source: string): void {
    const file = this.scratch(source);
    this.#diagnostics(file, "");
    this.#unknownColumns(file, "");
    this.#emit(file, []);
  }

  /** Where the user's text ends in a file. */
  userEnd(file: string): number {
    return this.#files.get(file)?.userEnd ?? Number.POSITIVE_INFINITY;
  }

  /** The columns of the frames in a file. */
  frameColumns(file: string): { readonly file: ts.SourceFile; readonly frames: FrameColumns } {
    const program = this.service.getProgram()!;
    return {
      file: program.getSourceFile(file)!,
      frames: new FrameColumns(program.getTypeChecker(), this.columns, this.userEnd(file)),
    };
  }

  /** What the compiler prints, with the types of cells named by their cells: `Row (cell 3)`. */
  readable(printed: string): string {
    return printed.replace(
      /import\("[^"]*__cell_(\d+)"\)\.([\w$.]+)/g,
      (_, cell: string, type: string) => `${type} (${this.#names.get(Number(cell))})`,
    );
  }

  /** The text of a cell's file. */
  text(file: string): string | undefined {
    return this.#files.get(file)?.text;
  }

  #put(file: string, source: string, everything: boolean): DeclaredName[] {
    const text = asCell(source);
    const parsed = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false);
    const declared = declaredNames(parsed);
    const own = new Set(declared.map(({ name }) => name));
    const mentioned = everything ? undefined : mentionedNames(parsed);
    const wanted = [...this.#visible].filter(([name]) => !own.has(name) && (mentioned?.has(name) ?? true));
    const tied = `${text}\n;${exportsOf(declared)}${importsOf(wanted)}`;
    this.#set(file, { text: tied, source, userEnd: text.length });
    return declared;
  }

  #set(file: string, cell: Pick<CellFile, "text" | "source" | "userEnd">): void {
    const snapshot = ts.ScriptSnapshot.fromString(cell.text);
    this.#files.set(file, { ...cell, version: ++this.#version, snapshot });
  }

  #diagnostics(file: string, cell: string): CellDiagnostic[] {
    const syntactic = this.service.getSyntacticDiagnostics(file);
    const found = syntactic.length > 0 ? syntactic : this.service.getSemanticDiagnostics(file);
    return found
      .filter((diagnostic) => !isTolerated(diagnostic))
      .map(({ file: sourceFile, start = 0, length = 0, messageText, code }) => {
        // What an earlier cell declared with const is an import to the compiler; the user wrote no import.
        const message = this.readable(ts.flattenDiagnosticMessageText(messageText, "\n")).replace(
          /because it is an import\.$/,
          "because it is a constant or an import.",
        );
        return this.#diagnostic(sourceFile!, cell, { start, length, message, code: `TS${code}` });
      });
  }

  #unknownColumns(file: string, cell: string): CellDiagnostic[] {
    const { file: sourceFile, frames } = this.frameColumns(file);
    return unknownColumns(sourceFile, this.userEnd(file), frames).map((found) =>
      this.#diagnostic(sourceFile, cell, { ...found, code: "UNKNOWN_COLUMN" }),
    );
  }

  #diagnostic(
    file: ts.SourceFile,
    cell: string,
    { start, length, message, code }: { start: number; length: number; message: string; code: string },
  ): CellDiagnostic {
    const at = Math.min(start, this.userEnd(file.fileName));
    const { line, character } = file.getLineAndCharacterOfPosition(at);
    const lineText = this.#files
      .get(file.fileName)!
      .source.slice(at - character)
      .split("\n", 1)[0]!;
    return {
      cell,
      code,
      message,
      line: line + 1,
      column: character + 1,
      lineText,
      length: Math.max(1, Math.min(length, lineText.length - character)),
    };
  }

  #emit(file: string, sharedNames: readonly string[]): { javaScript: string; sourceMap: string; used: string[] } {
    const program = this.service.getProgram()!;
    const used = new Set<string>();
    const transformer = cellTransformer(program.getTypeChecker(), new Set(sharedNames), this.userEnd(file), used);
    let javaScript = "";
    let sourceMap = "";
    const write: ts.WriteFileCallback = (name, text) => {
      if (name.endsWith(".map")) sourceMap = text;
      else javaScript = text;
    };
    program.emit(program.getSourceFile(file), write, undefined, false, { before: [transformer] });
    return { javaScript: asScript(javaScript), sourceMap, used: [...used] };
  }

  #host(): ts.LanguageServiceHost {
    const { sys } = ts;
    // Not in the published types; without it each cell's program parses the package.json files of all packages again.
    const cache = { getModuleResolutionCache: () => this.#resolver.cache };
    return {
      ...cache,
      getCompilationSettings: () => cellCompilerOptions,
      getScriptFileNames: () => [globalsFile, ...this.#resolver.ambientFiles, ...this.#files.keys()],
      getScriptVersion: (file) => String(this.#files.get(file)?.version ?? this.#resolver.version(file)),
      getScriptSnapshot: (file) => this.#files.get(file)?.snapshot ?? this.#resolver.snapshot(file),
      getCurrentDirectory: () => this.#folder,
      getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
      fileExists: (file) => this.#files.has(file) || sys.fileExists(file),
      readFile: (file) => this.#files.get(file)?.text ?? sys.readFile(file),
      directoryExists: sys.directoryExists,
      getDirectories: sys.getDirectories,
      readDirectory: sys.readDirectory,
      realpath: sys.realpath,
      useCaseSensitiveFileNames: () => sys.useCaseSensitiveFileNames,
      resolveModuleNameLiterals: (literals, containingFile, _redirect, options) =>
        this.#files.has(containingFile)
          ? literals.map(({ text }) =>
              this.#files.has(path.join(this.#folder, text))
                ? { resolvedModule: virtualModule(path.join(this.#folder, text)) }
                : this.#resolver.resolve(text, containingFile, options),
            )
          : this.#resolver.resolveAll(literals, containingFile, options),
    };
  }
}

const virtualModule = (file: string): ts.ResolvedModuleFull => ({ resolvedFileName: file, extension: ts.Extension.Ts });

/**
 * What means something at the beginning of a script or a module but nothing in a cell: `export` in front of a declaration, the `#!` of a script. What
 * takes its place has the same length and keeps every position.
 */
function asCell(source: string): string {
  let text = source.replace(/^#!/, "//");
  if (!source.includes("export")) return text;
  const parsed = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest, true);
  const put = (start: number, end: number, instead = "") => {
    text = text.slice(0, start) + instead.padEnd(end - start) + text.slice(end);
  };
  for (const statement of parsed.statements) {
    // An object that is exported is to stay a value: without anything before it the braces would be a block.
    if (ts.isExportAssignment(statement) && !statement.isExportEquals)
      put(
        statement.getStart(),
        statement.expression.getStart(),
        text[statement.expression.getStart()] === "{" ? "await" : "",
      );
    if (!ts.canHaveModifiers(statement)) continue;
    for (const modifier of ts.getModifiers(statement) ?? [])
      if (modifier.kind === ts.SyntaxKind.ExportKeyword || modifier.kind === ts.SyntaxKind.DefaultKeyword)
        put(modifier.getStart(), modifier.end);
  }
  return text;
}

const exportsOf = (declared: readonly DeclaredName[]) =>
  declared.length === 0 ? "" : `export { ${declared.map(({ name }) => name).join(", ")} };`;

/** A `let` of an earlier cell can be assigned, so it is not imported but declared with the type it has there. */
function importsOf(names: readonly (readonly [string, VisibleName])[]): string {
  const specifier = (file: string) => JSON.stringify(`./${path.basename(file)}`);
  return names
    .map(([name, { file, kind }]) =>
      kind === "let"
        ? `declare let ${name}: typeof import(${specifier(file)}).${name};`
        : `import { ${name} } from ${specifier(file)};`,
    )
    .join("");
}

/** The emitted module as a strict script whose value is the cell's function. */
function asScript(javaScript: string): string {
  const code = javaScript.replace(/\/\/# sourceMappingURL=.*\s*$/, "").replace(/^export \{\};\s*$/m, "");
  return `"use strict";${code}`;
}
