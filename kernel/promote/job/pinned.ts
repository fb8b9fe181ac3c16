import { readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { packageManifest } from "../modules.ts";

const LIB = path.resolve(import.meta.dirname, "../../../lib");

/**
 * What the packages of a job need in turn, in the versions that are installed here: npm's `overrides`, so that a job installs the same next year. What is
 * installed here in several versions, and packages for one platform (their parents name exact versions), are left to npm.
 * @param packages those of the notebook
 * @param folder where the notebook finds them
 */
export function pinnedPackages(packages: ReadonlyMap<string, string>, folder: string): Record<string, string> {
  const versions = new Map<string, Set<string>>();
  const seen = new Set<string>();
  const follow = (manifestFile: string): void => {
    const { dependencies = {} } = JSON.parse(readFileSync(manifestFile, "utf8")) as Manifest;
    for (const name of Object.keys(dependencies)) need(name, path.dirname(manifestFile));
  };
  const need = (name: string, from: string): void => {
    const found = packageManifest(name, from);
    if (found === undefined) return;
    const file = realpathSync(found);
    if (seen.has(file)) return;
    seen.add(file);
    const { version } = JSON.parse(readFileSync(file, "utf8")) as Manifest;
    versions.set(name, (versions.get(name) ?? new Set()).add(version));
    follow(file);
  };
  const millrace = path.join(LIB, "package.json");
  follow(millrace);
  for (const name of packages.keys()) need(name, folder);
  const exact = (JSON.parse(readFileSync(millrace, "utf8")) as Manifest).dependencies!;
  const pinned = [...versions].filter(([name, all]) => all.size === 1 && !packages.has(name) && !(name in exact));
  return Object.fromEntries(pinned.map(([name, [version]]) => [name, version!] as const).sort(byName));
}

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);
