import { createRequire, registerHooks } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { importFailure } from "./import-failure.ts";
import { installedSince } from "./installed-since.ts";
import { LocalModules } from "./local-modules.ts";
import { localTypeScript } from "./local-typescript.ts";

/** How a compiled cell imports. Called for static imports with the names wanted; `dynamic` is `import()`. */
export interface Importer {
  (specifier: string, names: readonly string[], attributes?: Record<string, string>): Promise<unknown[]>;
  dynamic(specifier: string, options?: { with?: Record<string, string> }): Promise<Record<string, unknown>>;
}

/** `import.meta` in a cell: that of a module in the notebook's folder. */
export interface CellMeta {
  readonly url: string;
  readonly dirname: string;
  readonly filename: string;
  resolve(specifier: string): string;
}

/** Marks an import as coming from a cell: it resolves from the notebook's folder, not from this file. */
const FROM_CELL = "millrace-cell:";
const HERE = import.meta.url;

/**
 * ES modules for cells: packages and files resolve from the notebook's folder, `millrace` and `nodejs-polars` else from the kernel's installation;
 * local TypeScript is loaded as modules and again when it has changed.
 */
export class CellModules {
  readonly importer: Importer;
  readonly meta: CellMeta;
  readonly #parent: string;
  readonly #local: LocalModules;
  readonly #mapped: (url: string, sourceMap: string) => void;

  /** @param mapped told of each module whose JavaScript has other positions than its text */
  constructor(cwd: string, mapped: (url: string, sourceMap: string) => void) {
    this.#mapped = mapped;
    this.#parent = pathToFileURL(path.join(cwd, "notebook.ts")).href;
    this.#local = new LocalModules(cwd);
    const require = createRequire(this.#parent);
    Object.defineProperty(globalThis, "require", { value: require, configurable: true, writable: true });
    this.meta = {
      url: this.#parent,
      dirname: cwd,
      filename: fileURLToPath(this.#parent),
      resolve: (specifier) => pathToFileURL(require.resolve(specifier)).href,
    };
    this.#hook();
    this.importer = Object.assign(
      async (specifier: string, names: readonly string[], attributes?: Record<string, string>) => {
        const namespace = await this.#import(specifier, attributes);
        return names.map((name) => exported(namespace, name, specifier));
      },
      {
        dynamic: (specifier: string, options?: { with?: Record<string, string> }) =>
          this.#import(specifier, options?.with),
      },
    );
  }

  async #import(specifier: string, attributes?: Record<string, string>): Promise<Record<string, unknown>> {
    const here = new Error("import");
    this.#local.noticeChanges();
    const json = attributes === undefined && /\.json$/.test(specifier);
    try {
      return await import(FROM_CELL + specifier, { with: json ? { type: "json" } : (attributes ?? {}) });
    } catch (error) {
      throw importFailure(error, { specifier, here, folder: this.meta.dirname });
    }
  }

  #hook(): void {
    registerHooks({
      resolve: (specifier, context, next) => {
        const fromCell = context.parentURL === HERE && specifier.startsWith(FROM_CELL);
        const name = fromCell ? specifier.slice(FROM_CELL.length) : specifier;
        const parentURL = fromCell ? this.#parent : context.parentURL;
        const required = !context.conditions.includes("import");
        if (!fromCell && (required || !this.#local.isLocal(parentURL))) return next(specifier, context);
        const asked = { ...context, parentURL };
        const resolved = firstOf(
          candidates(name, parentURL!),
          (candidate) => next(candidate, asked),
          () => next(name, { ...asked, parentURL: HERE }),
          () => (fromCell ? installedSince(name, this.meta.dirname) : undefined),
        );
        return { ...resolved, url: this.#local.versioned(resolved.url, parentURL!) };
      },
      load: (url, context, next) => {
        if (!this.#local.isLocal(url) || !/\.[mc]?ts(\?|$)/.test(url)) return next(url, context);
        const format = /\.cts(\?|$)/.test(url) ? "commonjs" : "module";
        const { javaScript, sourceMap } = localTypeScript(this.#local.read(url), url);
        if (sourceMap !== undefined) this.#mapped(url, sourceMap);
        return { format, shortCircuit: true, source: javaScript };
      },
    });
  }
}

/** A relative path as TypeScript authors write it: without extension, or with `.js` for a `.ts` file. */
function candidates(name: string, parentURL: string): string[] {
  const absolute = path.isAbsolute(name) ? pathToFileURL(name).href : name;
  if (!/^\.{0,2}\//.test(name) && !path.isAbsolute(name)) return [name];
  const url = new URL(absolute, parentURL).href;
  return [
    url,
    url.replace(/\.js$/, ".ts"),
    `${url}.ts`,
    `${url}.js`,
    `${url}.json`,
    `${url}/index.ts`,
    `${url}/index.js`,
  ];
}

function firstOf<T extends { url: string }>(
  names: readonly string[],
  attempt: (name: string) => T,
  otherwise: () => T,
  atLast: () => string | undefined,
): T {
  let failure: unknown;
  for (const name of names) {
    try {
      return attempt(name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      failure ??= error;
    }
  }
  if (names.length > 1) throw failure;
  try {
    return otherwise();
  } catch {
    const url = atLast();
    if (url !== undefined) return { url, shortCircuit: true } as unknown as T;
    throw failure;
  }
}

const isNotFound = (error: unknown) =>
  ["ERR_MODULE_NOT_FOUND", "ERR_UNSUPPORTED_DIR_IMPORT", "MODULE_NOT_FOUND"].includes(
    (error as { code?: string }).code ?? "",
  );

/** One export. A CommonJS module's names are sometimes only on its default export. */
function exported(namespace: Record<string, unknown>, name: string, specifier: string): unknown {
  if (name === "*") return namespace;
  if (name in namespace) return namespace[name];
  const fallback = namespace.default as Record<string, unknown> | undefined | null;
  if (fallback !== null && (typeof fallback === "object" || typeof fallback === "function") && name in fallback)
    return fallback[name];
  throw new SyntaxError(`The module "${specifier}" has no export named "${name}"`);
}
