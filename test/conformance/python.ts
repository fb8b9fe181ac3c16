import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { installKernelspec } from "../../kernel/cli/jupyter/kernelspec.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..");

/** The Python with Jupyter in it: `MILLRACE_PYTHON`, else the one that `npm run setup` makes. */
export function python(): string {
  const found = process.env.MILLRACE_PYTHON ?? path.join(ROOT, ".venv", "bin", "python");
  if (!existsSync(found)) throw new Error(`no Python with Jupyter at ${found}: npm run setup`);
  return found;
}

/** A program of that Python's environment, such as `jupyter`. */
export const tool = (name: string) => path.join(path.dirname(python()), name);

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A folder of its own with the kernelspec in it; programs run there find the kernel and keep their history there.
 * Removed when the test file ends.
 */
export async function jupyterFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-jupyter-"));
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  installKernelspec(path.join(folder, "share"));
  const env = {
    ...process.env,
    JUPYTER_PATH: path.join(folder, "share"),
    JUPYTER_CONFIG_DIR: path.join(folder, "config"),
    JUPYTER_DATA_DIR: path.join(folder, "data"),
    JUPYTER_RUNTIME_DIR: path.join(folder, "runtime"),
    IPYTHONDIR: path.join(folder, "ipython"),
    MILLRACE_HISTORY: path.join(folder, "history.jsonl"),
    MILLRACE_JOURNAL: path.join(folder, "journal"),
  };
  const run = (file: string, ...args: string[]) =>
    new Promise<Ran>((resolve) => {
      execFile(file, args, { cwd: folder, env, timeout: 120_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
      });
    });
  return { folder, env, run };
}
