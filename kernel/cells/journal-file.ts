import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { JournalEntry } from "./journal.ts";

/** Journals of sessions that ended longer ago are removed, in ms. */
const KEPT = 90 * 24 * 3_600_000;

/**
 * The journal of a session beside the notebook's outputs: a cell without output has no metadata of its own to keep its entry in. One file per session,
 * one JSON object a line, a cell's latest counting. Where the folder cannot be written there is none.
 */
export class JournalFile {
  readonly #file: string;

  /** @param session the id that the entries in a notebook's outputs name */
  constructor(session: string, folder = journalFolder()) {
    this.#file = fileOf(session, folder);
    forgetOld(folder);
  }

  add(entry: JournalEntry): void {
    if (entry.cellId === undefined) return;
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${JSON.stringify(entry)}\n`, { mode: 0o600 });
    } catch {
      // A read-only home: cells with output keep their entries.
    }
  }
}

/** What was journalled about a session: cell id -> its latest execution. Empty where this machine did not run it. */
export function readJournal(session: string, folder = journalFolder()): Map<string, JournalEntry> {
  let text: string;
  try {
    text = readFileSync(fileOf(session, folder), "utf8");
  } catch {
    return new Map();
  }
  const entries = text.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line) as JournalEntry];
    } catch {
      return []; // the last line, cut off by a crash
    }
  });
  return new Map(entries.map((entry) => [entry.cellId!, entry]));
}

/** A session's id is made by the kernel, but a notebook can say anything. */
const fileOf = (session: string, folder: string) => path.join(folder, `${session.replaceAll(/[^\w-]/g, "_")}.jsonl`);

/** `MILLRACE_JOURNAL`, else in the user's data folder. */
function journalFolder(): string {
  if (process.env.MILLRACE_JOURNAL) return process.env.MILLRACE_JOURNAL;
  const data =
    process.platform === "win32"
      ? (process.env.APPDATA ?? path.join(homedir(), "AppData", "Roaming"))
      : (process.env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share"));
  return path.join(data, "millrace", "journal");
}

function forgetOld(folder: string): void {
  try {
    for (const name of readdirSync(folder)) {
      const file = path.join(folder, name);
      if (name.endsWith(".jsonl") && Date.now() - statSync(file).mtimeMs > KEPT) rmSync(file);
    }
  } catch {
    // There is no such folder yet, or another kernel was faster.
  }
}
