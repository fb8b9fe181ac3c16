import { cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { MillraceError } from "../../../lib/error.ts";

export const LAB_EXTENSION = "millrace-lab";
/** Where the build puts it. */
export const BUILT = path.resolve(import.meta.dirname, "..", "..", "labextension", "dist");

export const labExtensionFolder = (dataDir: string): string => path.join(dataDir, "labextensions", LAB_EXTENSION);

/** Puts the prebuilt lab extension where JupyterLab looks for such, and returns where that is. What was there is replaced. */
export function installLabExtension(dataDir: string): string {
  if (!existsSync(path.join(BUILT, "package.json")))
    throw new MillraceError({
      code: "NOT_PREBUILT",
      what: "the lab extension is not built",
      where: BUILT,
      remedies: ["npm install builds it; where scripts are switched off: node kernel/labextension/build.mjs"],
    });
  const folder = labExtensionFolder(dataDir);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(BUILT, folder, { recursive: true });
  return folder;
}

/** Removes it again; true when it was there. */
export function uninstallLabExtension(dataDir: string): boolean {
  const folder = labExtensionFolder(dataDir);
  const there = existsSync(folder);
  rmSync(folder, { recursive: true, force: true });
  return there;
}
