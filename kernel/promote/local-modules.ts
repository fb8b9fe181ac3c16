import path from "node:path";
import ts from "typescript";
import type { CellProgram } from "./cell-program.ts";
import { deferredBy } from "./dependencies.ts";
import { runsOf } from "./runs-of.ts";
import { useOf } from "./value-use.ts";

/** What the notebook's local modules do, beyond what the cells show. */
export interface LocalModules {
  isLocal(file: ts.SourceFile): boolean;
  /** Whether running a function (constructor, accessor) of a module declares a sink, itself or through others. */
  declaresSink(declaration: ts.Node): boolean;
  /** Whether running a function (constructor, accessor) of a module reads a frame, itself or through others. */
  reads(declaration: ts.Node): boolean;
  /** Whether a module reads a frame when it is imported. */
  readsWhenImported(file: ts.SourceFile): boolean;
  /** The modules whose own variables a function changes, itself or through others. */
  changes(declaration: ts.Node): ReadonlySet<ts.SourceFile>;
  /** A module and all that it imports, through others. */
  reach(file: ts.SourceFile): ReadonlySet<ts.SourceFile>;
}

/**
 * @param isSink a mention of a sink verb of a frame
 * @param isRead a mention of a verb that reads one
 */
export function localModules(
  cells: CellProgram,
  isSink: (node: ts.Node) => boolean,
  isRead: (node: ts.Node) => boolean,
): LocalModules {
  const isLocal = (file: ts.SourceFile) =>
    !file.isDeclarationFile &&
    !file.fileName.includes("/node_modules/") &&
    !cells.isMillrace(file) &&
    !cells.files.some((cell) => cell.sourceFile === file);
  const local = cells.program.getSourceFiles().filter(isLocal);
  const sinks = new Set<ts.Node>();
  const reading = new Set<ts.Node>(); // functions, and files for what runs with an import
  const changed = new Map<ts.Node, Set<ts.SourceFile>>();
  const runs: { by: ts.Node; of: ts.Node }[] = [];
  for (const file of local) {
    for (const { node, declaration } of runsOf(file, cells)) {
      const of = isLocal(declaration.getSourceFile()) ? declaration : undefined;
      const by = deferredBy(node, file);
      if (of !== undefined) runs.push({ by: by ?? file, of });
    }
    const visit = (node: ts.Node): void => {
      const by = deferredBy(node, file);
      if (isRead(node)) reading.add(by ?? file);
      if (by !== undefined && isSink(node)) sinks.add(by);
      const state = by !== undefined && ts.isIdentifier(node) ? stateOf(node, cells) : undefined;
      if (state !== undefined && isLocal(state)) {
        const use = useOf(node as ts.Identifier, cells);
        if (use.kind === "write" || (use.kind === "read" && use.mutations.length > 0))
          changed.set(by!, (changed.get(by!) ?? new Set()).add(state));
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  for (let grew = true; grew; ) {
    grew = false;
    for (const { by, of } of runs) {
      const before = [sinks.size + reading.size, changed.get(by)?.size ?? 0];
      if (sinks.has(of)) sinks.add(by);
      if (reading.has(of)) reading.add(by);
      for (const file of changed.get(of) ?? []) changed.set(by, (changed.get(by) ?? new Set()).add(file));
      grew ||= sinks.size + reading.size !== before[0] || (changed.get(by)?.size ?? 0) !== before[1];
    }
  }
  return {
    isLocal,
    declaresSink: (declaration) => sinks.has(declaration) || withinClass(declaration, (part) => sinks.has(part)),
    reads: (declaration) => reading.has(declaration) || withinClass(declaration, (part) => reading.has(part)),
    readsWhenImported: (file) => reading.has(file),
    changes: (declaration) => changed.get(declaration) ?? new Set(),
    reach: (file) => reachOf(file, cells, isLocal),
  };
}

/** A class without a constructor of its own runs its fields. */
const withinClass = (declaration: ts.Node, has: (part: ts.Node) => boolean): boolean =>
  (ts.isClassLike(declaration) &&
    declaration.members.some((member) => ts.isPropertyDeclaration(member) && has(member))) ||
  (ts.isConstructorDeclaration(declaration) && withinClass(declaration.parent, has));

/** The module whose own variable a name stands for. */
function stateOf(name: ts.Identifier, { checker }: CellProgram): ts.SourceFile | undefined {
  let symbol = checker.getSymbolAtLocation(name);
  if (symbol !== undefined && (symbol.flags & ts.SymbolFlags.Alias) !== 0) symbol = checker.getAliasedSymbol(symbol);
  const declaration = symbol?.valueDeclaration;
  if (declaration === undefined || declaration === name.parent) return undefined;
  const isVariable = ts.isVariableDeclaration(declaration) && ts.isSourceFile(declaration.parent.parent.parent);
  const isClass = ts.isClassDeclaration(declaration) && ts.isSourceFile(declaration.parent);
  return isVariable || isClass ? declaration.getSourceFile() : undefined;
}

function reachOf(
  file: ts.SourceFile,
  { checker, program }: CellProgram,
  isLocal: (file: ts.SourceFile) => boolean,
): ReadonlySet<ts.SourceFile> {
  const found = new Set<ts.SourceFile>([file]);
  for (const one of found) {
    for (const statement of one.statements) {
      if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) continue;
      if (statement.moduleSpecifier === undefined) continue;
      const next = moduleFile(statement.moduleSpecifier, checker, program);
      if (next !== undefined && isLocal(next)) found.add(next);
    }
  }
  return found;
}

/** The file that a module specifier leads to. */
export function moduleFile(
  specifier: ts.Expression,
  checker: ts.TypeChecker,
  program: ts.Program,
): ts.SourceFile | undefined {
  const declaration = checker.getSymbolAtLocation(specifier)?.valueDeclaration;
  if (declaration !== undefined) return ts.isSourceFile(declaration) ? declaration : undefined;
  // one that exports nothing has no symbol
  const { text } = specifier as ts.StringLiteral;
  if (!text.startsWith(".")) return undefined;
  return program.getSourceFile(path.resolve(path.dirname(specifier.getSourceFile().fileName), text));
}
