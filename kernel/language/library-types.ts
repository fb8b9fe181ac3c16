import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";

const ROOT = path.resolve(import.meta.dirname, "../..");
const LIB = path.join(ROOT, "lib") + path.sep;

/**
 * Where the declarations of `lib/` as it is now are kept, once `makeLibraryTypes` has made them: under a digest of the sources, so that declarations
 * of other sources are never taken. They lie inside the repository, where what they import is found.
 */
export function libraryTypesFolder(): string {
  const digest = createHash("sha256").update(ts.version);
  const names = readdirSync(LIB, { recursive: true, encoding: "utf8" });
  for (const name of names.filter((name) => name.endsWith(".ts") && !name.startsWith("node_modules")).sort()) {
    const text = readFileSync(LIB + name);
    digest.update(`${name}\0${text.length}\0`).update(text);
  }
  return path.join(ROOT, ".cache", "types", digest.digest("hex").slice(0, 32), "node_modules", "millrace");
}

let made: string | false | undefined;

/**
 * Millrace's declarations in place of its sources, where there are some: the type checker then reads 2 MB and 700 files less, which is half of what
 * the first cell of a streaming notebook, or a promotion, waits for.
 */
export function asDeclarations<Found extends ts.ResolvedModuleWithFailedLookupLocations>(found: Found): Found {
  const file = found.resolvedModule?.resolvedFileName;
  if (file === undefined || !file.startsWith(LIB) || !file.endsWith(".ts")) return found;
  if (made === undefined) {
    const folder = libraryTypesFolder();
    made = existsSync(folder) && folder;
  }
  if (made === false) return found;
  const resolvedFileName = path.join(made, file.slice(LIB.length)).replace(/\.ts$/, ts.Extension.Dts);
  const resolvedModule = { ...found.resolvedModule!, resolvedFileName, extension: ts.Extension.Dts };
  return { ...found, resolvedModule };
}
