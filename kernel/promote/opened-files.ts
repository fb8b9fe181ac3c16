import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import polars from "nodejs-polars";
import { pl } from "../../lib/plan/pl.ts";
import { placeOf } from "./notebook-module.ts";

/** A file that the kept statements asked for while they ran. */
export interface OpenedFile {
  readonly file: string;
  /** Named by a relative path, which holds for the working directory; another one is computed from where a module stands. */
  readonly relative: boolean;
  /** The statement that asked, as far as the stack tells: its cell, and the text of its line. */
  readonly by?: { readonly cell: number; readonly line: string };
}

const ASKING = [
  "readFileSync",
  "openSync",
  "createReadStream",
  "readFile",
  "open",
  "existsSync",
  "statSync",
  "accessSync",
];
const ASKING_LATER = ["readFile", "open", "stat", "access"];
/** Polars opens files itself. */
const POLARS = /^(read|scan)(CSV|Parquet|IPC|JSON|Json|Avro)$/;

/**
 * From now on notes the files that are asked for in this process, by whatever name, as long as they are there: text tells of a literal path which file it
 * means, only a run tells it of `join("data", name)`. Files of packages are left out.
 * @param code the statements, by whose lines a file is told the cell that asked for it
 * @returns `note` for what Node itself loads
 */
export function noteOpenedFiles(code: string): { note(url: string): void; files(): OpenedFile[] } {
  const found = new Map<string, OpenedFile>();
  const note = (given: unknown, flags: unknown): void => {
    if (typeof flags === "string" && !flags.startsWith("r")) return;
    const isUrl = given instanceof URL || (typeof given === "string" && given.startsWith("file:"));
    const name = isUrl ? fileURLToPath(given) : given;
    if (typeof name !== "string" || name === "") return;
    const file = path.resolve(name);
    if (file.includes(`${path.sep}node_modules${path.sep}`) || isSetting(file) || !isFile(file)) return;
    const relative = !path.isAbsolute(name);
    if (found.has(`${file} ${relative}`)) return;
    const by = placeOf(new Error(), code);
    found.set(`${file} ${relative}`, { file, relative, ...(by && { by }) });
  };
  watch(fs, ASKING, note);
  watch(fs.promises, ASKING_LATER, note);
  for (const owner of [pl, polars])
    watch(
      owner,
      Object.keys(owner).filter((name) => POLARS.test(name)),
      note,
    );
  syncBuiltinESMExports();
  return { note: (url) => note(url, undefined), files: () => [...found.values()] };
}

/** Certificates and the like: what the environment names, or a folder that it names, is not the notebook's. */
const isSetting = (file: string) =>
  Object.entries(process.env).some(([name, value]) => {
    if (value === undefined || !path.isAbsolute(value)) return false;
    const named = path.resolve(value);
    return file === named || (!OF_THE_MACHINE.test(name) && named !== "/" && file.startsWith(named + path.sep));
  });
const OF_THE_MACHINE = /HOME|PWD$|^(TMPDIR|TEMP|TMP|USERPROFILE|INIT_CWD|_|NODE|npm_.*|XDG_.*)$/i;

const { statSync } = fs;
const isFile = (file: string) => statSync(file, { throwIfNoEntry: false })?.isFile() === true;

function watch(owner: object, names: readonly string[], note: (file: unknown, flags: unknown) => void): void {
  const members = owner as Record<string, (...args: unknown[]) => unknown>;
  for (const name of names) {
    const original = members[name]!;
    const opens = /^open/.test(name);
    members[name] = Object.assign(function (this: unknown, ...args: unknown[]) {
      note(args[0], opens ? args[1] : undefined);
      return original.apply(this, args);
    }, original);
  }
}
