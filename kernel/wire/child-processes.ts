import { readdirSync, readFileSync } from "node:fs";

/** The processes that this one started, and theirs. Linux tells who they are; elsewhere the answer is none. */
export function descendants(pid: number | "self" = "self"): number[] {
  if (process.platform !== "linux") return [];
  const children = threadsOf(pid).flatMap((thread) => childrenOf(pid, thread));
  return children.flatMap((child) => [...descendants(child), child]);
}

/**
 * Of those the ones that are to end with this one: a process of a session of its own (`detached`) was meant to outlive it. A parent stands before its children:
 * one whose child ends first may start another.
 */
export function dependants(pid: number | "self" = "self"): number[] {
  if (process.platform !== "linux") return [];
  const children = threadsOf(pid).flatMap((thread) => childrenOf(pid, thread));
  return children.filter((child) => !leadsSession(child)).flatMap((child) => [child, ...dependants(child)]);
}

/** proc(5), /proc/pid/stat: after the name in brackets come state, parent, process group and session. */
function leadsSession(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[4]) === pid;
  } catch {
    return false; // it ended meanwhile
  }
}

/** Asks them to end, and ends those that have not within so many milliseconds. */
export async function endDependants(within: number): Promise<void> {
  for (const child of dependants()) signal(child, "SIGTERM");
  for (const end = Date.now() + within; Date.now() < end && dependants().length > 0; )
    await new Promise((resolve) => setTimeout(resolve, 10));
  for (const child of dependants()) signal(child, "SIGKILL");
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
