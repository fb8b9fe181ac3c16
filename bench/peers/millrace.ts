import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { cacheFolder, runTool } from "../../kernel/broker/jars.ts";
import type { JobRun, Peer } from "../side-by-side/peer.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "../side-by-side/workloads.ts";

const repository = path.resolve(import.meta.dirname, "../..");
const folder = path.join(cacheFolder(), "bench-millrace");
const jobFolder = (workload: WorkloadName) => path.join(folder, workload);

export interface MillraceOptions {
  readonly workloads?: readonly WorkloadName[];
  /** Where to leave a CPU profile of the job; then `main.ts` is run without npm around it. */
  readonly profile?: string;
}

/** Millrace as a user runs it: notebooks in bench/notebooks, promoted, installed and started by npm. One process. */
export function millrace({ workloads = WORKLOAD_NAMES, profile }: MillraceOptions = {}): Peer {
  return {
    name: "millrace",
    title: "Millrace, 1 process",
    async prepare(progress) {
      progress("promoting the notebooks of bench/notebooks …");
      await mkdir(folder, { recursive: true });
      for (const workload of workloads) {
        const out = jobFolder(workload);
        await rm(out, { recursive: true, force: true }); // the code under test may have changed
        const notebook = path.join(repository, "bench", "notebooks", `${workload}.ipynb`);
        const main = path.join(repository, "kernel", "cli", "main.ts");
        await runTool(process.execPath, [main, "promote", notebook, "--out", out], "see the lines above");
        await runTool("npm", ["install", "--no-audit", "--no-fund"], "check the connection to the npm registry", out);
      }
    },
    command: (run) => ({ ...start(run, profile), cwd: jobFolder(run.workload), env: environment(run) }),
  };
}

const FLAGS = ["--until", "end", "--json"];

function start(run: JobRun, profile: string | undefined) {
  if (profile === undefined) return { command: "npm", args: ["start", "--silent", "--", ...FLAGS] };
  const name = `${run.workload}-${run.guarantee}.cpuprofile`;
  const profiling = ["--cpu-prof", "--cpu-prof-dir", profile, "--cpu-prof-name", name];
  return { command: process.execPath, args: [...profiling, "main.ts", ...FLAGS] };
}

function environment(run: JobRun): Record<string, string> {
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
