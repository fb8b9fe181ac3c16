import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { after } from "node:test";
import type { Asked } from "./warm-cli.ts";

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string | undefined>; deadline?: number } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...options.env };
    delete env.NODE_TEST_CONTEXT; // else a job's own `node --test` would report to ours
    const child = spawn(command, args, { cwd: options.cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const deadline = setTimeout(() => child.kill("SIGKILL"), options.deadline ?? 120_000);
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("exit", (code) => {
      clearTimeout(deadline);
      resolve({ code, stdout, stderr });
    });
  });
}

const main = path.resolve(import.meta.dirname, "../../kernel/cli/main.ts");

/** `millrace …` as a child process. */
export const millrace = (args: readonly string[], options: Parameters<typeof runCommand>[2] = {}) =>
  runCommand(process.execPath, [main, ...args], options);

let warm: ChildProcess | undefined;
after(async () => {
  if (warm === undefined) return;
  warm.ref();
  warm.disconnect();
  if (warm.exitCode === null) await once(warm, "exit");
});

/**
 * `millrace …` as {@link millrace} runs it, in a process that has run others before: most of what promotion takes, reading TypeScript and the types of
 * packages, is done once for this file's tests then. One at a time.
 */
export async function millraceAgain(
  args: readonly string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Record<string, string | undefined> } = {},
): Promise<Finished> {
  warm ??= fork(path.join(import.meta.dirname, "warm-cli.ts"), {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  warm.send({ args, cwd, env: { ...inherited, ...env } } satisfies Asked);
  const ended = once(warm, "exit").then(([code]) => [{ code, stdout: "", stderr: "the process ended" }]);
  const [answer] = await Promise.race([once(warm, "message"), ended]);
  return answer as Finished;
}
