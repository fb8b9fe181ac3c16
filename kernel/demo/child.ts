import { type ChildProcess, spawn } from "node:child_process";
import { MillraceError } from "../../lib/error.ts";

export interface Started {
  readonly child: ChildProcess;
  /** What it has printed on stdout so far. */
  stdout(): string;
  stderr(): string;
  /** Ends it (SIGTERM, after `patience` ms SIGKILL) and gives its exit code. */
  stop(patience?: number): Promise<number | null>;
  readonly exit: Promise<number | null>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a process that ends with this one at the latest. */
export function start(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; onLine?: (line: string) => void } = {},
): Started {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  let rest = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk;
    if (options.onLine === undefined) return;
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) options.onLine(line);
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-20_000);
  });
  const exit = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => {
      running.delete(child);
      resolve(code);
    });
  });
  exit.catch(() => {});
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit,
    stop: async (patience = 15_000) => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      child.kill("SIGTERM");
      const forced = setTimeout(() => child.kill("SIGKILL"), patience);
      const code = await exit;
      clearTimeout(forced);
      return code;
    },
  };
}

/** Runs a process to its end. @throws MillraceError `STEP_FAILED` with the end of what it printed */
export async function runToEnd(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const started = start(command, args, options);
  const code = await started.exit;
  if (code === 0) return started.stdout();
  const tail = (started.stderr() || started.stdout()).trim().split("\n").slice(-15).join("\n    ");
  throw new MillraceError({
    code: "STEP_FAILED",
    what: `${[command.split("/").pop(), ...args].join(" ")} failed with exit code ${code}:\n    ${tail}`,
  });
}
