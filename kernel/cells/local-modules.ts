import { readFileSync, statSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

interface LocalModule {
  stamp: string;
  generation: number;
  readonly importers: Set<string>;
}

/**
 * The user's own module files (outside `node_modules`) that cells have loaded. When one has changed, it and every local module that imports it get a new
 * generation: the next import loads them again, under a URL of their own.
 */
export class LocalModules {
  readonly #folder: string;
  readonly #modules = new Map<string, LocalModule>();

  constructor(cwd: string) {
    this.#folder = pathToFileURL(cwd).href;
  }

  /** A file that a cell, or another local module, imports from outside `node_modules`. */
  isLocal(url: string | undefined): boolean {
    if (url === undefined || isInstalled(url) || isKernel(url)) return false;
    return this.#modules.has(bare(url)) || url.startsWith(`${this.#folder}/`);
  }

  /** The URL to load: that of the file's current generation. */
  versioned(url: string, parentURL: string): string {
    if (!url.startsWith("file:") || isInstalled(url) || !/\.([mc]?[jt]s|json)$/.test(bare(url)) || isKernel(url))
      return url;
    const known = this.#modules.get(bare(url)) ?? { stamp: stamp(url), generation: 0, importers: new Set<string>() };
    this.#modules.set(bare(url), known);
    known.importers.add(bare(parentURL));
    return known.generation === 0 ? url : `${bare(url)}?v=${known.generation}`;
  }

  read(url: string): string {
    return readFileSync(fileURLToPath(bare(url)), "utf8");
  }

  noticeChanges(): void {
    for (const [url, module] of this.#modules) {
      const now = stamp(url);
      if (now === module.stamp) continue;
      module.stamp = now;
      this.#renew(url, new Set());
    }
  }

  #renew(url: string, done: Set<string>): void {
    const module = this.#modules.get(url);
    if (module === undefined || done.has(url)) return;
    done.add(url);
    module.generation++;
    for (const importer of module.importers) this.#renew(importer, done);
  }
}

const bare = (url: string) => url.replace(/\?v=\d+$/, "");
const isInstalled = (url: string) => url.includes("/node_modules/");
const KERNEL = new URL("../../", import.meta.url).href;
/** The kernel's and the library's own sources are not the user's, also where they are run from a checkout. */
const isKernel = (url: string) => url.startsWith(`${KERNEL}lib/`) || url.startsWith(`${KERNEL}kernel/`);

function stamp(url: string): string {
  const stats = statSync(fileURLToPath(bare(url)), { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.mtimeMs}:${stats.size}`;
}
