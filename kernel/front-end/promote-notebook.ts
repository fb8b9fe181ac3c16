import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";

const CLI = path.resolve(import.meta.dirname, "..", "cli", "main.ts");

/** The page that says what promotion of this notebook keeps and drops. @throws Error with what the command said */
export async function explainPromotion(notebook: string): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-explain-"));
  try {
    const page = path.join(folder, "explanation.html");
    await millrace(["promote", notebook, "--explain", "--html", page]);
    return await readFile(page, "utf8");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Promotes the notebook to a folder beside it, and names its files. Nothing is left of one that is cancelled before it writes.
 * @param said is given each line by which the command says how far it is
 * @throws Error with what the command said
 */
export async function writeJob(
  notebook: string,
  said: (line: string) => void,
  signal: AbortSignal,
): Promise<{ folder: string; files: string[] }> {
  const folder = path.join(path.dirname(notebook), `${path.basename(notebook, ".ipynb")}-job`);
  await millrace(["promote", notebook, "--out", folder], { said, signal });
  const entries = await readdir(folder, { withFileTypes: true });
  return {
    folder,
    files: entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort(),
  };
}

interface Listening {
  readonly said?: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * The command as processes of their own: the kernel stays free, and its cells see nothing of it. They are a group, so that cancelling ends those too that
 * the command starts; what they leave in the temporary folder goes with them.
 */
async function millrace(args: readonly string[], { said = () => {}, signal }: Listening = {}): Promise<void> {
  const temporary = await mkdtemp(path.join(os.tmpdir(), "millrace-panel-"));
  try {
    const child = spawn(process.execPath, ["--no-warnings", CLI, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      detached: true,
      env: { ...process.env, TMPDIR: temporary },
    });
    const cancel = () => child.pid !== undefined && process.kill(-child.pid, "SIGTERM");
    signal?.addEventListener("abort", cancel, { once: true });
    let printed = "";
    createInterface(child.stderr).on("line", (line) => {
      printed += `${line}\n`;
      said(line);
    });
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", resolve);
    });
    signal?.removeEventListener("abort", cancel);
    if (signal?.aborted) throw new Error("cancelled: nothing was written");
    if (code !== 0) throw new Error(withoutProgress(printed) || `millrace ${args[0]} ended with code ${code}`);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** What was printed after the lines that say how far the command was, such as `finding what the sinks need …`. */
const withoutProgress = (printed: string) => printed.replace(/^(.*…\n)+/, "").trim();
