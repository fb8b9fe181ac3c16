import { randomBytes } from "node:crypto";
import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** What `owner.json` in a state folder says while a worker runs there. */
export interface StateOwnerNote {
  readonly pid: number;
  readonly host: string;
  readonly job: string;
  /** Where health, metrics and state are served. */
  readonly url: string;
  readonly startedAt: string;
}

const ownerFile = (folder: string) => path.join(folder, "owner.json");

/** The id of this worker: made once, kept with its state, so that a restarted worker has its partitions and its transactions. */
export async function memberId(folder: string): Promise<string> {
  const file = path.join(folder, "member-id");
  const known = (await readFile(file, "utf8").catch(() => "")).trim();
  if (/^[\w.-]{1,100}$/.test(known)) return known;
  const host = os
    .hostname()
    .replace(/[^\w.-]/g, "-")
    .slice(0, 60);
  const made = `${host}-${randomBytes(6).toString("hex")}`;
  await replace(file, `${made}\n`);
  return made;
}

export async function noteOwner(folder: string, job: string, url: string): Promise<void> {
  const note: StateOwnerNote = { pid: process.pid, host: os.hostname(), job, url, startedAt: new Date().toISOString() };
  await replace(ownerFile(folder), `${JSON.stringify(note, undefined, 2)}\n`);
}

export async function readOwner(folder: string): Promise<StateOwnerNote | undefined> {
  try {
    return JSON.parse(await readFile(ownerFile(folder), "utf8")) as StateOwnerNote;
  } catch {
    return undefined;
  }
}

export async function forgetOwner(folder: string): Promise<void> {
  await rm(ownerFile(folder), { force: true }).catch(() => {});
}

/**
 * Removes the state of further workers (`worker-N`) that a job of `workers` does not have: it would only look as if it counted. What it held is in the
 * changelogs.
 */
export async function forgetFurtherWorkers(folder: string, workers: number): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const number = Number(/^worker-(\d+)$/.exec(name)?.[1] ?? Number.NaN);
    if (number >= workers) await rm(path.join(folder, name), { recursive: true, force: true });
  }
}

/** Whole or not at all, also when the process is killed in between. */
async function replace(file: string, text: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, text);
  await rename(draft, file);
}
