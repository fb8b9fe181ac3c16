import { readFile } from "node:fs/promises";
import type { JobRun } from "../run/job/support.ts";

/** Resident bytes of a process, now and at most so far. */
export async function resident(run: JobRun): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${run.child.pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: of("VmRSS"), most: of("VmHWM") };
}

export const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
