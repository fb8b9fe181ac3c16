import { existsSync } from "node:fs";
import path from "node:path";
import { Refusal } from "../../../lib/error.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..", "..");
const BIN = process.platform === "win32" ? "Scripts" : "bin";

/** A Python environment that holds JupyterLab. */
export interface JupyterEnvironment {
  readonly prefix: string;
  readonly lab: string;
}

/**
 * JupyterLab: in the environment of `MILLRACE_PYTHON`, else in the one that `npm run setup` made, the active one, or on the PATH.
 *
 * @throws Refusal when there is none
 */
export function findJupyterLab(env: NodeJS.ProcessEnv = process.env): JupyterEnvironment {
  const python = env.MILLRACE_PYTHON;
  const prefixes = [
    ...(python === undefined ? [] : [path.dirname(path.dirname(python))]),
    path.join(ROOT, ".venv"),
    ...[env.VIRTUAL_ENV, env.CONDA_PREFIX].filter((prefix) => prefix !== undefined),
    ...(env.PATH ?? "")
      .split(path.delimiter)
      .filter((folder) => path.basename(folder) === BIN)
      .map((folder) => path.dirname(folder)),
  ];
  for (const prefix of prefixes) {
    const lab = path.join(prefix, BIN, process.platform === "win32" ? "jupyter-lab.exe" : "jupyter-lab");
    if (existsSync(lab)) return { prefix, lab };
  }
  throw new Refusal({
    code: "NO_JUPYTERLAB",
    what: "JupyterLab was not found",
    remedies: ["set it up in the Millrace folder: npm run setup", "or install it: pip install jupyterlab"],
  });
}
