import { homedir } from "node:os";
import path from "node:path";
import { Refusal } from "../../../lib/error.ts";

/** Where Jupyter looks for a user's kernelspecs and lab extensions, as `jupyter --paths` would say, without asking Python. */
export function userDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.JUPYTER_DATA_DIR) return env.JUPYTER_DATA_DIR;
  switch (process.platform) {
    case "darwin":
      return path.join(homedir(), "Library", "Jupyter");
    case "win32":
      return path.join(env.APPDATA ?? path.join(homedir(), "AppData", "Roaming"), "jupyter");
    default:
      return path.join(env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share"), "jupyter");
  }
}

/** The data folder below an installation's prefix. */
export const prefixDataDir = (prefix: string): string => path.join(path.resolve(prefix), "share", "jupyter");

/** The prefix of the active Python environment. */
export function activePrefix(env: NodeJS.ProcessEnv = process.env): string {
  const prefix = env.VIRTUAL_ENV ?? env.CONDA_PREFIX;
  if (prefix !== undefined) return prefix;
  throw new Refusal({
    code: "NO_ENVIRONMENT",
    what: "--sys-prefix: no Python environment is active (neither VIRTUAL_ENV nor CONDA_PREFIX is set)",
    remedies: ["activate the environment first", "or name it: --prefix DIR", "or install for your user: --user"],
  });
}

/** Below which pip puts a user's packages (`pip install --user`). */
export const userBase = (env: NodeJS.ProcessEnv = process.env): string =>
  env.PYTHONUSERBASE ??
  (process.platform === "win32"
    ? path.join(env.APPDATA ?? path.join(homedir(), "AppData", "Roaming"), "Python")
    : path.join(homedir(), ".local"));
