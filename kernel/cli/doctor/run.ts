import { execFile } from "node:child_process";

/** The exit code and output of a short-lived program; undefined where it cannot be started. A hanging one ends after `timeout` ms. */
export function run(
  file: string,
  args: readonly string[],
  { cwd, env, timeout = 30_000 }: { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string } | undefined> {
  return new Promise((resolve) => {
    execFile(file, [...args], { cwd, env, timeout }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code === "string") resolve(undefined);
      else resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}
