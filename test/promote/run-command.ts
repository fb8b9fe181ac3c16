import { spawn } from "node:child_process";
import path from "node:path";

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
