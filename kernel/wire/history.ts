import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";
import type { HistoryEntry, HistoryRequest } from "../messages/history.ts";

interface Line {
  readonly session: number;
  readonly line: number;
  readonly input: string;
  readonly output?: string;
}

/** The file keeps this many entries when a kernel starts with more than twice as many. */
const KEPT = 10_000;

/**
 * What was run, in this session and in earlier ones: a file of one JSON object a line, in the user's data folder (or `MILLRACE_HISTORY`). Where the file
 * cannot be written the history is that of the session.
 */
export class History {
  readonly #file: string;
  readonly #lines: Line[];
  readonly session: number;
  /** The file's last line was cut off by a crash: the next is to begin on one of its own. */
  #torn: boolean;

  constructor(file = historyFile()) {
    this.#file = file;
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    this.#lines = read(text);
    this.#torn = text !== "" && !text.endsWith("\n");
    this.session = Math.max(0, ...this.#lines.map(({ session }) => session)) + 1;
    if (this.#lines.length > 2 * KEPT) this.#trim();
  }

  add(line: number, input: string, output?: string): void {
    const entry: Line = { session: this.session, line, input, ...(output === undefined ? {} : { output }) };
    this.#lines.push(entry);
    try {
      mkdirSync(path.dirname(this.#file), { recursive: true });
      appendFileSync(this.#file, `${this.#torn ? "\n" : ""}${JSON.stringify(entry)}\n`, { mode: 0o600 });
      this.#torn = false;
    } catch {
      // A read-only home: history lasts as long as the session.
    }
  }

  ask(request: HistoryRequest): HistoryEntry[] {
    return this.#select(request).map(({ session, line, input, output }) => [
      session,
      line,
      request.output === true ? [input, output ?? null] : input,
    ]);
  }

  #select(request: HistoryRequest): readonly Line[] {
    switch (request.hist_access_type) {
      case "tail":
        return last(this.#lines, request.n);
      case "range": {
        const { session = 0, start = 0, stop } = request;
        const wanted = session > 0 ? session : this.session + session;
        return this.#lines.filter(
          (each) => each.session === wanted && each.line >= start && (stop == null || each.line < stop),
        );
      }
      case "search": {
        const pattern = glob(request.pattern ?? "*");
        const found = this.#lines.filter(({ input }) => pattern.test(input));
        return last(request.unique === true ? unique(found) : found, request.n);
      }
      default:
        return [];
    }
  }

  #trim(): void {
    this.#lines.splice(0, this.#lines.length - KEPT);
    try {
      writeFileSync(this.#file, this.#lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { mode: 0o600 });
    } catch {
      // As above.
    }
  }
}

function read(text: string): Line[] {
  return text.split("\n").flatMap((each) => {
    try {
      const line = JSON.parse(each) as Partial<Line> | null;
      return isLine(line) ? [line] : [];
    } catch {
      return []; // cut off by a crash
    }
  });
}

const isLine = (line: Partial<Line> | null): line is Line =>
  Number.isInteger(line?.session) && Number.isInteger(line?.line) && typeof line?.input === "string";

function historyFile(): string {
  if (process.env.MILLRACE_HISTORY) return process.env.MILLRACE_HISTORY;
  const data =
    process.platform === "win32"
      ? (process.env.APPDATA ?? path.join(homedir(), "AppData", "Roaming"))
      : (process.env.XDG_DATA_HOME ?? path.join(homedir(), ".local", "share"));
  return path.join(data, "millrace", "history.jsonl");
}

const last = <T>(lines: readonly T[], n: number | null | undefined) =>
  n == null ? lines : n > 0 ? lines.slice(-n) : [];

/** The latest of each equal input. */
function unique(lines: readonly Line[]): Line[] {
  const latest = new Map<string, Line>();
  for (const line of lines) {
    latest.delete(line.input);
    latest.set(line.input, line);
  }
  return [...latest.values()];
}

/** As SQLite's GLOB, which IPython's history is searched by: `*`, `?`, and `[a-z]` or `[^a-z]`. A bracket that is not closed stands for itself. */
function glob(pattern: string): RegExp {
  const source = pattern.replace(/\[(\^?)(\]?[^\]]*)\]|./gsu, (part, not?: string, members?: string) =>
    members !== undefined && members !== ""
      ? `[${not}${members.replace(/[[\]\\^]/g, "\\$&")}]`
      : (WILD[part] ?? part.replace(/[.+^${}()|[\]\\/]/g, "\\$&")),
  );
  try {
    return new RegExp(`^${source}$`, "su");
  } catch {
    return /(?!)/; // a range from a later character to an earlier one, in which nothing is
  }
}

const WILD: Readonly<Record<string, string>> = { "*": ".*", "?": "." };
