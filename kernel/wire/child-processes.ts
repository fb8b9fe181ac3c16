import { readdirSync, readFileSync } from "node:fs";

/** The processes that this one started, and theirs. Linux tells who they are; elsewhere the answer is none. */
export function descendants(pid: number | "self" = "self"): number[] {
  if (process.platform !== "linux") return [];
  const children = threadsOf(pid).flatMap((thread) => childrenOf(pid, thread));
  return children.flatMap((child) => [...descendants(child), child]);
}

function threadsOf(pid: number | "self"): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it ended meanwhile
  }
}

function childrenOf(pid: number | "self", thread: string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended.
  }
}
