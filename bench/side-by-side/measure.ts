import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { start } from "../../kernel/demo/child.ts";
import type { Command, PeerSummary } from "./peer.ts";

/** What a job took. */
export interface Measured extends PeerSummary {
  /** From starting the command (npm, java, python) to its end. */
  readonly wallSeconds: number;
  /** User and system time of the process and its descendants. */
  readonly cpuSeconds: number;
  /** Resident memory of the process and its descendants together at its peak, looked at every 50 ms. */
  readonly peakBytes: number;
}

/** Runs a job to its end. @throws Error with the end of what it printed when it fails or takes longer than `limit` ms */
export async function measure({ command, args, cwd, env }: Command, limit: number): Promise<Measured> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  try {
    const used = path.join(folder, "rusage.json");
    const started = start("python3", [path.join(import.meta.dirname, "rusage.py"), used, command, ...args], {
      ...(cwd !== undefined && { cwd }),
      env: { ...process.env, ...env },
    });
    let expired = false;
    const timer = setTimeout(() => {
      expired = true;
      void started.stop();
    }, limit);
    const code = await started.exit;
    clearTimeout(timer);
    const lines = started.stdout().trim().split("\n");
    if (code !== 0 || expired) {
      const tail = [...lines, ...started.stderr().trim().split("\n")].slice(-30).join("\n    ");
      throw new Error(
        `${expired ? `took longer than ${limit / 1000} s` : `ended with exit code ${code}`}:\n    ${tail}`,
      );
    }
    const summary = JSON.parse(lines.at(-1)!) as PeerSummary;
    const { wall, user, system, peakBytes } = JSON.parse(await readFile(used, "utf8")) as Record<string, number>;
    return { ...summary, wallSeconds: wall!, cpuSeconds: user! + system!, peakBytes: peakBytes! };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
