import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import ts from "typescript";
import { cacheFolder } from "../../broker/jars.ts";
import { tarball } from "./tarball.ts";

export interface VendoredPackage {
  readonly version: string;
  /** `millrace-<version>.tgz` */
  readonly fileName: string;
  readonly bytes: Uint8Array;
}

type Progress = (done: number, total: number) => void;

interface Manifest {
  version: string;
  exports: Record<string, string | { types: string; default: string }>;
  dependencies: Record<string, string>;
  [field: string]: unknown;
}

const require = createRequire(import.meta.url);
const LIB = path.resolve(import.meta.dirname, "../../../lib");

export async function libraryManifest(): Promise<Manifest> {
  return JSON.parse(await readFile(path.join(LIB, "package.json"), "utf8")) as Manifest;
}

/**
 * `millrace` as an npm package of JavaScript and type declarations, since Node strips no types under `node_modules`. Compiled from `lib/`
 * and packed so that the same sources give the same bytes; kept in the cache under the digest of what went in.
 * @param progress is told how many source files of how many are compiled, where they still have to be
 */
export async function vendoredMillrace(progress: Progress = () => {}): Promise<VendoredPackage> {
  const sources = await sourceFiles();
  const manifest = await libraryManifest();
  const digest = createHash("sha256").update(ts.version);
  for (const packer of ["vendor.ts", "tarball.ts"])
    digest.update(await readFile(path.join(import.meta.dirname, packer)));
  for (const [name, content] of sources) digest.update(`${name}\0${content.length}\0`).update(content);
  const cached = path.join(cacheFolder(), "vendor", `${digest.digest("hex").slice(0, 32)}.tgz`);
  const fileName = `millrace-${manifest.version}.tgz`;
  try {
    return { version: manifest.version, fileName, bytes: await readFile(cached) };
  } catch {}
  const bytes = tarball(await packageFiles(sources, manifest, progress));
  await mkdir(path.dirname(cached), { recursive: true });
  await writeFile(`${cached}.${process.pid}`, bytes);
  await rename(`${cached}.${process.pid}`, cached);
  return { version: manifest.version, fileName, bytes };
}

async function sourceFiles(): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(LIB, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(LIB, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .filter((name) => !name.startsWith("node_modules/"))
    .sort();
  return new Map(await Promise.all(names.map(async (name) => [name, await readFile(path.join(LIB, name))] as const)));
}

async function packageFiles(
  sources: Map<string, Uint8Array>,
  manifest: Manifest,
  progress: Progress,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const put = (name: string, content: Uint8Array | string) => files.set(`package/${name}`, Buffer.from(content));
  for (const [name, content] of sources) if (!name.endsWith(".ts") && name !== "package.json") put(name, content);
  const names = [...sources.keys()].filter((name) => name.endsWith(".ts"));
  for (const [name, text] of await compiled(names, progress)) put(name, text);
  const license = await readFile(path.resolve(LIB, "../LICENSE"), "utf8").catch(() => undefined);
  if (license !== undefined) put("LICENSE", license);
  const exports = Object.fromEntries(Object.entries(manifest.exports).map(([name, file]) => [name, built(file)]));
  put("package.json", `${JSON.stringify({ ...manifest, exports }, undefined, 2)}\n`);
  return files;
}

/** An entry of `exports` as the compiled package has it. */
function built(entry: string | { types: string; default: string }): string | { types: string; default: string } {
  if (typeof entry === "string" && !entry.endsWith(".ts")) return entry;
  const { types, default: main } = typeof entry === "string" ? { types: entry, default: entry } : entry;
  return { types: types.replace(/\.ts$/, ".d.ts"), default: main.replace(/\.ts$/, ".js") };
}

/** File by file, so that in between others are heard. */
async function compiled(names: readonly string[], progress: Progress): Promise<Map<string, string>> {
  const output = new Map<string, string>();
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2024,
    lib: ["lib.es2024.d.ts", "lib.esnext.disposable.d.ts", "lib.esnext.iterator.d.ts", "lib.esnext.collection.d.ts"],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ["node"],
    // not as seen from wherever the command was called: declarations would come out otherwise
    typeRoots: [path.resolve(path.dirname(require.resolve("@types/node/package.json")), "..")],
    strict: true,
    verbatimModuleSyntax: true,
    skipLibCheck: true,
    resolveJsonModule: true,
    rewriteRelativeImportExtensions: true,
    declaration: true,
    rootDir: LIB,
    outDir: LIB,
    newLine: ts.NewLineKind.LineFeed,
  };
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => LIB;
  const program = ts.createProgram({ rootNames: names.map((name) => path.join(LIB, name)), options, host });
  progress(0, names.length);
  for (const [at, name] of names.entries()) {
    const source = program.getSourceFile(path.join(LIB, name));
    program.emit(source, (file, text) => output.set(path.relative(LIB, file).split(path.sep).join("/"), text));
    progress(at + 1, names.length);
    await new Promise(setImmediate);
  }
  return output;
}
