import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const MODULE = "millrace_papermill";
const SOURCE = path.join(import.meta.dirname, "papermill", `${MODULE}.py`);
const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
const INFO = `${MODULE}-${version}.dist-info`;

/** The folders of Python packages below a prefix that hold papermill. */
export function papermillFolders(prefix: string): string[] {
  return ["lib/python3*/site-packages/papermill", "lib/python3*/dist-packages/papermill", "Lib/site-packages/papermill"]
    .flatMap((pattern) => globSync(pattern, { cwd: prefix }))
    .map((found) => path.dirname(path.join(prefix, found)));
}

/**
 * Puts the translator for TypeScript beside each papermill below a prefix, as a package that pip knows and can uninstall: without one papermill
 * refuses parameters for notebooks in this language. Returns the folders written to; none where there is no papermill.
 */
export function installPapermillTranslator(prefix: string): string[] {
  const folders = papermillFolders(prefix);
  for (const folder of folders) {
    removeFrom(folder);
    writeFileSync(path.join(folder, `${MODULE}.py`), readFileSync(SOURCE));
    const files: Record<string, string> = {
      METADATA: `Metadata-Version: 2.1\nName: millrace-papermill\nVersion: ${version}\nSummary: Parameters in TypeScript for papermill\n`,
      INSTALLER: "millrace\n",
      "entry_points.txt": `[papermill.engine]\nmillrace = ${MODULE}:MillraceEngine\n`,
      WHEEL: "Wheel-Version: 1.0\nGenerator: millrace\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    };
    const names = [...Object.keys(files), "RECORD"].map((name) => `${INFO}/${name}`);
    files.RECORD = [`${MODULE}.py`, ...names].map((name) => `${name},,\n`).join("");
    mkdirSync(path.join(folder, INFO));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, INFO, name), text);
  }
  return folders;
}

/** Takes it away again. */
export function uninstallPapermillTranslator(prefix: string): void {
  for (const folder of papermillFolders(prefix)) removeFrom(folder);
}

/** True where papermill in this folder has the translator of this version. */
export const hasTranslator = (folder: string): boolean =>
  existsSync(path.join(folder, INFO, "entry_points.txt")) &&
  existsSync(path.join(folder, `${MODULE}.py`)) &&
  readFileSync(path.join(folder, `${MODULE}.py`), "utf8") === readFileSync(SOURCE, "utf8");

function removeFrom(folder: string): void {
  rmSync(path.join(folder, `${MODULE}.py`), { force: true });
  for (const info of globSync(`${MODULE}-*.dist-info`, { cwd: folder }))
    rmSync(path.join(folder, info), { recursive: true });
}
