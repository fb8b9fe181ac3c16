import { createRequire } from "node:module";
import path from "node:path";
import ts from "typescript";
import { cellCompilerOptions } from "../language/compiler-options.ts";
import { asDeclarations } from "../language/library-types.ts";
import { declaredNames, exportedNames } from "./declared-names.ts";
import type { CodeCell } from "./notebook.ts";

/** A code cell as a virtual module: its source unchanged, and behind it the exports and imports that join it to the others. */
export interface CellFile {
  readonly cell: CodeCell;
  readonly sourceFile: ts.SourceFile;
  /** Length of the cell's own source; what lies behind is generated. */
  readonly length: number;
  /** Names taken from other cells, and from which (its index in {@link CellProgram.files}). */
  readonly imports: ReadonlyMap<string, number>;
}

export interface CellProgram {
  readonly program: ts.Program;
  readonly checker: ts.TypeChecker;
  readonly files: readonly CellFile[];
  /** Is this declaration part of the installed `millrace` package? */
  isMillrace(node: ts.Node): boolean;
}

/** As the kernel checks cells, and besides: what a job runs must be JavaScript once its types are stripped. */
const OPTIONS: ts.CompilerOptions = {
  ...cellCompilerOptions,
  types: ["node"],
  noEmit: true,
  sourceMap: false,
  erasableSyntaxOnly: true,
};

/** Packages a notebook may import without having installed them: they come with the kernel. */
const FROM_KERNEL = /^(millrace|nodejs-polars)(\/|$)/;

const require = createRequire(import.meta.url);

/** Packages and Millrace's own sources do not change while a command runs, and there are hundreds of files of them: read once, and what they import too. */
const installedTypes = new Map<string, ts.SourceFile>();
const installedImports = new Map<string, readonly ts.ResolvedModuleWithFailedLookupLocations[]>();

/**
 * Type-checks the cells together: one module per cell, where a name
 * that a cell does not declare itself comes from the nearest earlier cell that does, or else from the nearest later one.
 */
export function checkCells(cells: readonly CodeCell[], folder: string): CellProgram {
  const fileName = (index: number) => path.join(folder, `__cell_${index + 1}__.ts`);
  const names = cells.map((cell) => declaredNames(parse(cell.source)));
  const imports = cells.map((cell, index) => neededNames(cell, index, names));
  const texts = new Map(
    cells.map((cell, index) => [
      fileName(index),
      cell.source + tail(index, names, imports[index]!, fileName, exportedNames(parse(cell.source))),
    ]),
  );
  const options = { ...OPTIONS, typeRoots: nodeTypeRoots() };
  const host = ts.createCompilerHost(options);
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseNone; // a fifth of the time, and nobody asks for it
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => texts.has(file) || fileExists(file);
  host.readFile = (file) => texts.get(file) ?? readFile(file);
  host.getSourceFile = (file, version, ...rest) => {
    if (texts.has(file)) return ts.createSourceFile(file, texts.get(file)!, version, true);
    const known = installedTypes.get(file);
    if (known !== undefined) return known;
    const read = getSourceFile(file, version, ...rest);
    if (read !== undefined && isInstalled(read)) installedTypes.set(file, read);
    return read;
  };
  const cache = ts.createModuleResolutionCache(folder, (name) => name, options);
  host.resolveModuleNameLiterals = (literals, containing, redirect, settings, containingFile) => {
    const known = installedImports.get(containing);
    if (known !== undefined) return known;
    const resolved = literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(containingFile, literal, settings);
      const from = (file: string, known?: ts.ModuleResolutionCache) =>
        asDeclarations(ts.resolveModuleName(literal.text, file, settings, host, known, redirect, mode));
      const found = from(containing, cache);
      return found.resolvedModule !== undefined || !FROM_KERNEL.test(literal.text) ? found : from(import.meta.filename);
    });
    if (isInstalled(containingFile)) installedImports.set(containing, resolved);
    return resolved;
  };
  const program = ts.createProgram({ rootNames: [...texts.keys()], options, host });
  const files = cells.map((cell, index) => ({
    cell,
    sourceFile: program.getSourceFile(fileName(index))!,
    length: cell.source.length,
    imports: imports[index]!,
  }));
  return { program, checker: program.getTypeChecker(), files, isMillrace };
}

const isInstalled = (file: ts.SourceFile) =>
  file.fileName.startsWith(LIB) || (file.isDeclarationFile && file.fileName.includes("/node_modules/"));

const parse = (source: string) => ts.createSourceFile("cell.ts", source, ts.ScriptTarget.ES2024, true);

function nodeTypeRoots(): string[] {
  return [path.resolve(path.dirname(require.resolve("@types/node/package.json")), "..")];
}

/** Every identifier a cell mentions and does not declare, with the cell that provides it. */
function neededNames(cell: CodeCell, index: number, names: readonly ReadonlySet<string>[]): Map<string, number> {
  const needed = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !names[index]!.has(node.text) && !needed.has(node.text)) {
      const provider = providerOf(node.text, index, names);
      if (provider !== undefined) needed.set(node.text, provider);
    }
    ts.forEachChild(node, visit);
  };
  visit(parse(cell.source));
  return needed;
}

function providerOf(name: string, index: number, names: readonly ReadonlySet<string>[]): number | undefined {
  for (let earlier = index - 1; earlier >= 0; earlier--) if (names[earlier]!.has(name)) return earlier;
  for (let later = index + 1; later < names.length; later++) if (names[later]!.has(name)) return later;
  return undefined;
}

/** Imports may stand at the end of a module, so that the positions of the cell's own text stay what they are. */
function tail(
  index: number,
  names: readonly ReadonlySet<string>[],
  imports: ReadonlyMap<string, number>,
  fileName: (index: number) => string,
  own: ReadonlySet<string>,
): string {
  const lines = [`\nexport { ${[...names[index]!].filter((name) => !own.has(name)).join(", ")} };`];
  for (const [name, provider] of imports) {
    lines.push(`import { ${name} } from "./${path.basename(fileName(provider))}";`);
  }
  return lines.join("\n");
}

function isMillrace(node: ts.Node): boolean {
  const file = node.getSourceFile().fileName;
  return file.startsWith(LIB) || file.includes("/node_modules/millrace/");
}

const LIB = `${path.resolve(import.meta.dirname, "../../lib")}${path.sep}`;
