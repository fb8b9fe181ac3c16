import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { cacheFolder, runTool } from "../../kernel/broker/jars.ts";
import type { Command, JobRun, Peer } from "../side-by-side/peer.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../side-by-side/workloads.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const folder = path.join(cacheFolder(), "bench-millrace");
const jobFolder = (workload: string) => path.join(folder, workload);

export interface MillraceOptions {
  readonly workloads?: readonly WorkloadName[];
  /** Processes of the job on this machine (`--workers`); 1 by default. */
  readonly workers?: number;
  /** Where to leave a CPU profile of the job; then `main.ts` is run without npm around it. */
  readonly profile?: string;
}

/** Millrace as a user runs it: notebooks in bench/notebooks, promoted, installed and started by npm. */
export function millrace({ workloads = WORKLOAD_NAMES, workers = 1, profile }: MillraceOptions = {}): Peer {
  return {
    name: workers === 1 ? "millrace" : `millrace-${workers}`,
    title: workers === 1 ? "Millrace, 1 process" : `Millrace, --workers ${workers}`,
    async prepare(progress) {
      progress("promoting the notebooks of bench/notebooks …");
      for (const workload of workloads) await promoted(workload, () => {});
    },
    command: (run) => ({ ...start(run, workers, profile), cwd: jobFolder(run.workload), env: environment(run) }),
  };
}

/** Promotes and installs a notebook of bench/notebooks anew: the code under test may have changed. */
export async function promoted(notebook: string, progress: (line: string) => void): Promise<void> {
  progress(`promoting bench/notebooks/${notebook}.ipynb …`);
  await mkdir(folder, { recursive: true });
  const out = jobFolder(notebook);
  await rm(out, { recursive: true, force: true });
  const file = path.join(repository, "bench", "notebooks", `${notebook}.ipynb`);
  const main = path.join(repository, "kernel", "cli", "main.ts");
  await runTool(process.execPath, [main, "promote", file, "--out", out], "see the lines above");
  await runTool("npm", ["install", "--no-audit", "--no-fund"], "check the connection to the npm registry", out);
}

/** How a promoted notebook is started. */
export function started(
  notebook: string,
  run: Omit<JobRun, "workload" | "count">,
  flags: readonly string[] = untilEnd(),
): Command {
  const args = ["start", "--silent", "--", ...flags];
  return { command: "npm", args, cwd: jobFolder(notebook), env: environment(run) };
}

/** A run to the end of the topic, told as JSON. */
export function untilEnd(workers = 1): string[] {
  const flags = ["--until", "end", "--json"];
  return workers === 1 ? flags : [...flags, "--workers", String(workers)];
}

function start(run: JobRun, workers: number, profile: string | undefined) {
  const flags = untilEnd(workers);
  if (profile === undefined) return { command: "npm", args: ["start", "--silent", "--", ...flags] };
  const name = `${run.workload}-${run.guarantee}.cpuprofile`;
  const profiling = ["--cpu-prof", "--cpu-prof-dir", profile, "--cpu-prof-name", name];
  return { command: process.execPath, args: [...profiling, "main.ts", ...flags] };
}

function environment(run: Omit<JobRun, "workload" | "count">): Record<string, string> {
  return {
    KAFKA_BOOTSTRAP_SERVERS: run.servers,
    MILLRACE_JOB_NAME: run.id,
    MILLRACE_GUARANTEE: run.guarantee,
    MILLRACE_COMMIT_INTERVAL: `${run.commitInterval}ms`,
    MILLRACE_STATE_DIR: run.stateDir,
    INPUT: run.input,
    OUTPUT: run.output,
  };
}
