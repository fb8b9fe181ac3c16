/** The Node that a job brings along for machines whose own is older; first on the path of its npm scripts. */
export const NODE_VERSION = "24.21.0";

export interface PackageOptions {
  readonly name: string;
  readonly notebook: string;
  readonly millraceVersion: string;
  readonly packages: ReadonlyMap<string, string>;
  /** What those, and Millrace, need in turn. */
  readonly pinned: Readonly<Record<string, string>>;
}

/**
 * Millrace's objects die young, most of them handles of Polars that cost a microsecond each to be let go of: a small young part of the heap is collected often,
 * 2 ms each, in the place of 20 (docs/decisions/061-buffers-and-collections.md).
 */
export const NODE_FLAGS = "--max-semi-space-size=4";

/** An npm package of exact versions; `millrace` comes from the folder itself. */
export function packageJson({ name, notebook, millraceVersion, packages, pinned }: PackageOptions): string {
  const manifest = {
    name: packageName(name),
    version: "1.0.0",
    private: true,
    description: `Stream job promoted from ${notebook}`,
    type: "module",
    engines: { node: ">=24" },
    scripts: { postinstall: "node postinstall.mjs", start: `exec node ${NODE_FLAGS} main.ts`, test: "node --test" },
    dependencies: { millrace: `file:vendor/millrace-${millraceVersion}.tgz`, ...Object.fromEntries(packages) },
    devDependencies: { node: NODE_VERSION },
    overrides: pinned,
  };
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** npm wants lower case, and no leading dot or underscore. */
export const packageName = (name: string) =>
  name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "") || "job";

/** After `npm install` under a Node older than 22, npm has left out Polars' binary; the Node 24 just installed chooses again. */
export const POSTINSTALL = `// npm chooses native packages for the Node it runs under. Under one that is too old for them, choose again with the Node 24
// that this job brings along.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";

const root = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const modules = path.join(root, "node_modules");
const bin = path.join(modules, "node", "bin");
const node24 = path.join(bin, process.platform === "win32" ? "node.exe" : "node");
const hasBinary = existsSync(modules) && readdirSync(modules).some((name) => name.startsWith("nodejs-polars-"));

if (!hasBinary && existsSync(node24) && process.env.npm_execpath && !process.env.MILLRACE_POSTINSTALL) {
  console.error("choosing native packages for Node 24 …");
  const done = spawnSync(node24, [process.env.npm_execpath, "install", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, MILLRACE_POSTINSTALL: "1", PATH: bin + path.delimiter + process.env.PATH },
  });
  process.exitCode = done.status ?? 1;
}
`;
