import { existsSync } from "node:fs";
import path from "node:path";

const repository = path.resolve(import.meta.dirname, "../..");

/** The Python of the environment `npm run setup` makes, with JupyterLab and nbclient; `MILLRACE_PYTHON` names another. */
export function python(): string {
  const python = process.env.MILLRACE_PYTHON ?? path.join(repository, ".venv", "bin", "python");
  if (!existsSync(python)) throw new Error(`no Python environment at ${python}: run \`npm run setup\``);
  return python;
}

/** A program of that environment, e.g. `jupyter`. */
export const pythonTool = (name: string): string => path.join(path.dirname(python()), name);
