import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { Refusal } from "../../lib/error.ts";
import type { Measured } from "./measured.ts";

/** Path in the folder, with `/` -> bytes. */
export type JobFiles = ReadonlyMap<string, Uint8Array>;

/** What promotion must know of the folder it made before. */
export interface EarlierPromotion {
  readonly files: readonly string[];
  readonly schemas: Readonly<Record<string, Record<string, string>>>;
  readonly recorded: unknown;
  readonly measured?: Measured;
}

export const MADE_BY = "millrace promote";

/** The earlier promotion in a folder; undefined where there is no folder, or an empty one. Throws a Refusal for anybody else's files. */
export async function earlierPromotion(folder: string): Promise<EarlierPromotion | undefined> {
  let entries: string[];
  try {
    entries = (await stat(folder)).isDirectory() ? await readdir(folder) : ["(a file)"];
  } catch {
    return undefined;
  }
  if (entries.length === 0) return undefined;
  try {
    const promotion = JSON.parse(await readFile(path.join(folder, "promotion.json"), "utf8"));
    if (promotion.madeBy === MADE_BY && Array.isArray(promotion.files)) return promotion as EarlierPromotion;
  } catch {}
  throw new Refusal({
    code: "FOREIGN_FOLDER",
    what: `${folder} holds files that promote did not make; it would overwrite them.`,
    remedies: ["give a new or empty folder", "remove the folder first, if nothing in it is needed"],
  });
}

/** Files that differ from what the folder should hold, missing and left-over ones included; sorted. */
export async function drift(folder: string, files: JobFiles, earlier: EarlierPromotion | undefined): Promise<string[]> {
  const differing: string[] = [];
  for (const [name, bytes] of files) {
    const present = await readFile(path.join(folder, name)).catch(() => undefined);
    if (present === undefined) differing.push(`${name} (missing)`);
    else if (!present.equals(bytes)) differing.push(name);
  }
  for (const name of earlier?.files ?? []) if (!files.has(name)) differing.push(`${name} (no longer needed)`);
  return differing.sort();
}

/**
 * Writes the files; removes those an earlier promotion made that are not needed any more. What npm and the job made (`node_modules`,
 * `state`) stays, except what npm would take for the new `millrace` although it is the old one.
 */
export async function writeJob(folder: string, files: JobFiles, earlier: EarlierPromotion | undefined): Promise<void> {
  const changed = await drift(folder, files, earlier);
  const inside = (name: string) => {
    const file = path.resolve(folder, name);
    return path.relative(folder, file).startsWith("..") ? undefined : file;
  };
  for (const name of earlier?.files ?? []) {
    const file = files.has(name) ? undefined : inside(name);
    if (file !== undefined) await rm(file, { force: true });
  }
  if (earlier !== undefined && changed.some((name) => name.startsWith("vendor/"))) {
    for (const stale of ["package-lock.json", "node_modules/.package-lock.json", "node_modules/millrace"]) {
      await rm(path.join(folder, stale), { recursive: true, force: true });
    }
  }
  for (const [name, bytes] of files) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bytes);
  }
}
