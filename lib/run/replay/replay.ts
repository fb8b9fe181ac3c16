import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { Refusal } from "../../error.ts";
import { showAmounts, TELLING } from "../amount-done.ts";
import { compareRows, type Difference, parseRows } from "./compare-rows.ts";
import { linesDigest } from "./shown-digest.ts";

export interface ReplayOptions {
  /** Arguments for Node before `main.ts`. */
  readonly nodeArguments?: readonly string[];
  /** Is given a line when the job begins, every two seconds while it runs (how far it is, how fast, how long still), and when it has ended. */
  readonly progress?: (line: string) => void;
  /** Cancels: the job is ended, what it had written removed, and the reason thrown. */
  readonly signal?: AbortSignal;
}

export interface SinkReplay {
  readonly topic: string;
  readonly expected: number;
  readonly actual: number;
  readonly differences: readonly Difference[];
}

export interface ReplayReport {
  /** True when there was something to compare and no row differs. */
  readonly ok: boolean;
  readonly sinks: readonly SinkReplay[];
  /** For people: what was compared, and the first differences. */
  readonly text: string;
}

/** A digest of the rows that a cell of the notebook showed of these records. */
interface Shown {
  readonly shown: string;
  readonly shownBy: number;
}

interface Promotion {
  readonly parameters: readonly { readonly variable: string }[];
  /** File -> digest. */
  readonly vendor?: Readonly<Record<string, string>>;
  /** Local modules, data files and models: file -> digest. */
  readonly copied?: Readonly<Record<string, string>>;
  readonly recorded:
    | { readonly nothing: string }
    | {
        readonly samples: Readonly<Record<string, { readonly records: number; readonly sha256: string }>>;
        readonly expected: Readonly<
          Record<string, { readonly rows: number; readonly sha256: string } & Partial<Shown>>
        >;
      };
}

/**
 * Runs a promoted folder's own `main.ts` over the records in its `samples/` (no broker), and compares what its sinks write with `expected/`,
 * which the notebook computed.
 * @throws Refusal `NOT_A_JOB` when promote did not make the folder
 */
export async function replay(folder: string, options: ReplayOptions = {}): Promise<ReplayReport> {
  const promotion = await readPromotion(folder);
  const { recorded } = promotion;
  if (!("samples" in recorded))
    return failed(`Nothing was recorded: ${recorded.nothing}. Run the notebook and promote it again.`);
  const spoiled = await changedRecords(folder, recorded, { ...promotion.vendor, ...promotion.copied });
  const out = await mkdtemp(path.join(os.tmpdir(), "millrace-replay-"));
  try {
    const run = await timed(recorded.samples, options.progress, (line) =>
      runJob(folder, out, promotion, options, line),
    );
    if (run.code !== 0) return failed(`main.ts ended with code ${run.code}:\n${run.printed.trim()}`);
    const sinks: SinkReplay[] = [];
    const told: string[] = [];
    let differs = false;
    for (const topic of Object.keys(recorded.expected).sort()) {
      const expected = parseRows(await readFile(path.join(folder, "expected", `${topic}.jsonl`), "utf8"));
      const written = await readFile(path.join(out, `${topic}.jsonl`), "utf8").catch(() => undefined);
      if (written === undefined) return failed(`main.ts has no sink that writes ${topic}, which the notebook has.`);
      const actual = parseRows(written);
      const { shown, shownBy } = recorded.expected[topic]!;
      if (shown !== undefined)
        told.push(
          linesDigest(written).sha256 === shown
            ? `${topic}: as cell ${shownBy} showed them.`
            : `${topic}: not the rows that cell ${shownBy} showed.`,
        );
      differs ||= shown !== undefined && linesDigest(written).sha256 !== shown;
      sinks.push({
        topic,
        expected: expected.length,
        actual: actual.length,
        differences: compareRows(expected, actual),
      });
    }
    const more = (await readdir(out)).filter((file) => file.endsWith(".jsonl")).map((file) => file.slice(0, -6));
    const unknown = more.filter((topic) => !(topic in recorded.expected)).sort();
    if (unknown.length > 0) return failed(`main.ts writes ${unknown.join(", ")}, which the notebook does not.`);
    const text = [describe(sinks, recorded.samples), ...told].join("\n");
    if (spoiled.length > 0)
      return { ok: false, sinks, text: `${text}\nChanged since promotion: ${spoiled.join(", ")}.` };
    return { ok: !differs && sinks.every((sink) => sink.differences.length === 0), sinks, text };
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** Says how many records are replayed, until the job tells how far it is for how long already, and at the end how long it took. */
async function timed<T>(
  samples: Readonly<Record<string, { readonly records: number }>>,
  progress: ReplayOptions["progress"] = () => {},
  work: (line: (text: string) => void) => Promise<T>,
): Promise<T> {
  const records = Object.values(samples).reduce((sum, each) => sum + each.records, 0);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  progress(`replaying ${records} records of ${Object.keys(samples).join(", ")} …`);
  const timer = setInterval(() => progress(`starting the job, ${seconds().toFixed(0)} s …`), TELLING);
  try {
    return await work((text) => {
      clearInterval(timer);
      progress(text);
    });
  } finally {
    clearInterval(timer);
    progress(`replayed in ${seconds().toFixed(1)} s, the start of the job included`);
  }
}

async function readPromotion(folder: string): Promise<Promotion> {
  try {
    return JSON.parse(await readFile(path.join(folder, "promotion.json"), "utf8")) as Promotion;
  } catch (cause) {
    throw new Refusal({
      code: "NOT_A_JOB",
      what: `${folder} is not a folder that millrace promote made: it has no promotion.json.`,
      remedies: ["millrace promote NOTEBOOK --out DIR"],
      cause,
    });
  }
}

const failed = (text: string): ReplayReport => ({ ok: false, sinks: [], text });

/** Samples, expected rows, packages and copied files whose digest is not the one that promotion noted. */
async function changedRecords(
  folder: string,
  recorded: Exclude<Promotion["recorded"], { nothing: string }>,
  others: Readonly<Record<string, string>>,
): Promise<string[]> {
  const noted = [
    ...Object.entries(recorded.samples).map(([topic, { sha256 }]) => [`samples/${topic}.jsonl.gz`, sha256] as const),
    ...Object.entries(recorded.expected).map(([topic, { sha256 }]) => [`expected/${topic}.jsonl`, sha256] as const),
    ...Object.entries(others),
  ];
  const changed: string[] = [];
  for (const [file, sha256] of noted) {
    const bytes = await readFile(path.join(folder, file)).catch(() => undefined);
    if (bytes === undefined || createHash("sha256").update(bytes).digest("hex") !== sha256) changed.push(file);
  }
  return changed;
}

/** With the parameters' defaults: what this environment sets is not what was recorded. */
function runJob(
  folder: string,
  out: string,
  promotion: Promotion,
  { nodeArguments = [], signal }: ReplayOptions,
  line: (text: string) => void,
) {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    MILLRACE_REPLAY: path.resolve(folder, "samples"),
    MILLRACE_REPLAY_OUT: out,
    MILLRACE_STATE_DIR: path.join(out, "state"),
  };
  for (const { variable } of promotion.parameters) delete env[variable];
  // set by node --test for its children, which would make main.ts report as a test
  delete env.NODE_TEST_CONTEXT;
  delete env.PORT;
  return new Promise<{ code: number | null; printed: string }>((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArguments, "main.ts"], {
      cwd: folder,
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      killSignal: "SIGKILL",
      ...(signal && { signal }),
    });
    showAmounts(child, line);
    let printed = "";
    const collect = (chunk: Buffer) => {
      printed = (printed + chunk).slice(-8000);
    };
    child.stdout!.on("data", collect);
    child.stderr!.on("data", collect);
    child.on("error", reject);
    child.on("exit", (code) => resolve({ code, printed }));
  });
}

const SHOWN = 10;

function describe(
  sinks: readonly SinkReplay[],
  samples: Readonly<Record<string, { readonly records: number }>>,
): string {
  const read = Object.entries(samples).map(([topic, { records }]) => `${records} records of ${topic}`);
  const lines = [`Replayed ${read.join(", ")}.`];
  for (const { topic, expected, actual, differences } of sinks) {
    if (differences.length === 0 && actual === 0)
      lines.push(
        `${topic}: no row, in the notebook as in the job: this proves nothing of its rows. Read records that make some in the notebook, and promote again.`,
      );
    else if (differences.length === 0) lines.push(`${topic}: ${actual} rows, as the notebook computed them.`);
    else
      lines.push(
        `${topic}: ${differences.length} of ${Math.max(expected, actual)} rows differ (the notebook: ${expected}, the job: ${actual}).`,
      );
    for (const { key, position, expected, actual } of differences.slice(0, SHOWN)) {
      lines.push(
        `  key ${JSON.stringify(key)}, row ${position + 1}`,
        `    notebook: ${shown(expected)}`,
        `    job:      ${shown(actual)}`,
      );
    }
    if (differences.length > SHOWN) lines.push(`  … and ${differences.length - SHOWN} more`);
  }
  return lines.join("\n");
}

const shown = (row: unknown) => (row === undefined ? "(no row)" : JSON.stringify(row));
