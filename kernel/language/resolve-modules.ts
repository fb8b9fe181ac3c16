import path from "node:path";
import ts from "typescript";
import { cellCompilerOptions } from "./compiler-options.ts";
import { asDeclarations } from "./library-types.ts";

/** The kernel's own installation: where `millrace`, `nodejs-polars` and Node's types come from when the notebook's folder lacks them. */
const OWN = path.join(import.meta.dirname, "resolve-from-here.ts");

const OWN_SOURCES = ["lib", "kernel"].map((name) => path.resolve(import.meta.dirname, "..", "..", name) + path.sep);

/** Finds modules from the notebook's folder, else in the kernel's own installation, and reads real files, noticing when they change. */
export class ModuleResolver {
  readonly ambientFiles: readonly string[];
  /** Also the program's own: without it every cell would read the package.json files of all packages again. */
  readonly cache: ts.ModuleResolutionCache;
  readonly #resolved = new Map<string, readonly ts.ResolvedModuleWithFailedLookupLocations[]>();
  readonly #snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot | undefined }>();

  constructor(folder: string) {
    this.cache = ts.createModuleResolutionCache(folder, (name) => name, cellCompilerOptions);
    const nodeTypes = ["@types/node", "@types/node/index.d.ts"].map((name) =>
      this.#find(name, path.join(folder, "cell.ts"), {}),
    );
    const found = nodeTypes.find((resolved) => resolved !== undefined);
    this.ambientFiles = found === undefined ? [] : [found.resolvedFileName];
  }

  resolve(
    name: string,
    containingFile: string,
    options: ts.CompilerOptions,
  ): ts.ResolvedModuleWithFailedLookupLocations {
    return { resolvedModule: this.#find(name, containingFile, options) } as ts.ResolvedModuleWithFailedLookupLocations;
  }

  /** What a file imports. An installed file is asked about for every cell, and its answers do not change. */
  resolveAll(
    literals: readonly ts.StringLiteralLike[],
    containingFile: string,
    options: ts.CompilerOptions,
  ): readonly ts.ResolvedModuleWithFailedLookupLocations[] {
    const known = this.#resolved.get(containingFile);
    if (known?.length === literals.length) return known;
    const resolved = literals.map(({ text }) => this.resolve(text, containingFile, options));
    if (isInstalled(containingFile)) this.#resolved.set(containingFile, resolved);
    return resolved;
  }

  #find(name: string, containingFile: string, options: ts.CompilerOptions): ts.ResolvedModuleFull | undefined {
    const from = (file: string) =>
      asDeclarations(ts.resolveModuleName(name, file, options, ts.sys, this.cache)).resolvedModule;
    const bare = !name.startsWith(".") && !path.isAbsolute(name);
    const found = from(containingFile) ?? (bare ? from(OWN) : undefined);
    // A package that is missing may be installed before it is asked for again.
    if (found === undefined) this.cache.clear();
    return found;
  }

  /** Files under `node_modules` do not change while the kernel runs; others are looked at again. */
  version(file: string): string {
    if (isInstalled(file) && this.#snapshots.has(file)) return this.#snapshots.get(file)!.version;
    return String(ts.sys.getModifiedTime?.(file)?.getTime() ?? 0);
  }

  snapshot(file: string): ts.IScriptSnapshot | undefined {
    const version = this.version(file);
    const known = this.#snapshots.get(file);
    if (known?.version === version) return known.snapshot;
    const text = ts.sys.readFile(file);
    const snapshot = text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    this.#snapshots.set(file, { version, snapshot });
    return snapshot;
  }
}

/** Compiler libraries, packages and the kernel's own sources. */
const isInstalled = (file: string) =>
  file.includes("/node_modules/") ||
  file.includes("\\node_modules\\") ||
  OWN_SOURCES.some((own) => file.startsWith(own));
