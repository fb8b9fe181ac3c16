import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

const CLI = path.resolve(import.meta.dirname, "..", "cli", "main.ts");

/** The page that says what promotion of this notebook keeps and drops. @throws Error with what the command said */
export async function explainPromotion(notebook: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-explain-"));
  try {
    const page = path.join(folder, "explanation.html");
    await millrace("promote", notebook, "--explain", "--html", page);
    return await readFile(page, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Promotes the notebook to a folder beside it, and names its files. @throws Error with what the command said */
export async function writeJob(notebook: string): Promise<{ folder: string; files: string[] }> {
  const folder = path.join(path.dirname(notebook), `${path.basename(notebook, ".ipynb")}-job`);
  await millrace("promote", notebook, "--out", folder);
  const entries = await readdir(folder, { withFileTypes: true });
  return {
    folder,
    files: entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort(),
  };
}

/** The command as a process of its own: the kernel stays free, and its cells see nothing of it. */
function millrace(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) =>
    execFile(process.execPath, ["--no-warnings", CLI, ...args], { maxBuffer: 1e8 }, (error, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(stderr.trim() || error.message)),
    ),
  );
}
