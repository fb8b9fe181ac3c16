import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { Refusal } from "../../lib/error.ts";
import type { JournalEntry } from "../cells/journal.ts";
import { readJournal } from "../cells/journal-file.ts";

/** A cell of nbformat 4 as it is stored; unknown fields travel along. */
export interface RawCell {
  cell_type: string;
  id?: string;
  metadata: Record<string, unknown>;
  source: string | string[];
  outputs?: RawOutput[];
  execution_count?: number | null;
  [field: string]: unknown;
}

export interface RawOutput {
  output_type: string;
  metadata?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface RawNotebook {
  cells: RawCell[];
  metadata: Record<string, unknown>;
  nbformat: number;
  nbformat_minor: number;
  [field: string]: unknown;
}

/** What the kernel journals about the latest execution of a cell; under `metadata.millrace` of the cell or of its outputs. */
export type Execution = Omit<JournalEntry, "since" | "sinks" | "shown"> &
  Partial<Pick<JournalEntry, "since" | "sinks" | "shown">>;

/** A code cell as promotion sees it. */
export interface CodeCell {
  /** 1 for the first code cell; markdown cells are not counted. */
  readonly number: number;
  readonly id: string;
  /** A heading of the markdown just above, or a readable cell id; for the markers in `main.ts`. */
  readonly title: string | undefined;
  readonly source: string;
  readonly tags: ReadonlySet<string>;
  readonly executionCount: number | null;
  readonly execution: Execution | undefined;
}

export interface Notebook {
  /** File name without `.ipynb`. */
  readonly name: string;
  readonly file: string;
  /** Where its relative imports and files are looked for. */
  readonly folder: string;
  readonly raw: RawNotebook;
  readonly cells: readonly CodeCell[];
}

/** Reads a notebook of nbformat 4. Throws a {@link Refusal} for anything else. */
export async function readNotebook(file: string): Promise<Notebook> {
  const absolute = path.resolve(file);
  let text: string;
  try {
    text = await readFile(absolute, "utf8");
  } catch (error) {
    throw new Refusal({
      code: "NO_NOTEBOOK",
      what: `The notebook ${file} cannot be read: ${(error as Error).message}.`,
      remedies: ["give the path of an .ipynb file"],
    });
  }
  return parseNotebook(text, absolute);
}

/** As {@link readNotebook}, from text; `file` tells its name and folder. */
export function parseNotebook(text: string, file: string): Notebook {
  let raw: RawNotebook;
  try {
    raw = JSON.parse(text) as RawNotebook;
  } catch (error) {
    throw notANotebook(file, `it is not JSON (${(error as Error).message})`);
  }
  if (!Array.isArray(raw.cells) || raw.nbformat !== 4) {
    throw notANotebook(file, `nbformat is ${raw.nbformat ?? "missing"}; 4 is read`);
  }
  const name = path.basename(file).replace(/\.ipynb$/, "");
  return { name, file, folder: path.dirname(file), raw, cells: codeCells(raw) };
}

const notANotebook = (file: string, why: string) =>
  new Refusal({
    code: "NOT_A_NOTEBOOK",
    what: `${file} is not a notebook this command reads: ${why}.`,
    remedies: ["save it as .ipynb, format 4, in JupyterLab"],
  });

function codeCells(raw: RawNotebook): CodeCell[] {
  const cells: CodeCell[] = [];
  let heading: string | undefined;
  for (const [position, cell] of raw.cells.entries()) {
    const source = sourceText(cell.source);
    if (cell.cell_type === "markdown") heading = source.match(/^#{1,6}\s+(.+?)\s*#*$/m)?.[1] ?? heading;
    if (cell.cell_type !== "code") continue;
    const id = cell.id ?? `cell-${position}`;
    cells.push({
      number: cells.length + 1,
      id,
      title: heading ?? (/^[a-z]+(-[a-z]+)*$/.test(id) ? id : undefined),
      source,
      tags: new Set(Array.isArray(cell.metadata?.tags) ? (cell.metadata.tags as string[]) : []),
      executionCount: cell.execution_count ?? null,
      execution: latestExecution(cell),
    });
    heading = undefined;
  }
  return withJournal(cells);
}

/** Cells that showed nothing, in a front end that keeps no record: the kernel that ran them on this machine may still know. */
function withJournal(cells: readonly CodeCell[]): CodeCell[] {
  const session = cells.findLast(({ execution }) => execution !== undefined)?.execution?.session;
  if (session === undefined) return [...cells];
  const journal = readJournal(session);
  return cells.map((cell) =>
    cell.execution === undefined && cell.executionCount !== null
      ? { ...cell, execution: journal.get(cell.id) as Execution | undefined }
      : cell,
  );
}

/** The latest record of the cell's own metadata and its outputs': the last output's, and the one that has seen the most reads. */
function latestExecution(cell: RawCell): Execution | undefined {
  const records = [cell.metadata, ...(cell.outputs ?? []).map((output) => output.metadata)]
    .map((metadata) => metadata?.millrace as Execution | undefined)
    .filter((record) => typeof record?.sha256 === "string" && typeof record.seq === "number");
  return (
    records.at(-1) &&
    records.filter((record) => record!.session === records.at(-1)!.session).toSorted((a, b) => b!.seq - a!.seq)[0]
  );
}

export const sourceText = (source: string | string[]) => (Array.isArray(source) ? source.join("") : (source ?? ""));

/** nbformat stores text as lines that keep their `\n`. */
export const sourceLines = (text: string) => text.split(/(?<=\n)/);

export const sha256 = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex");

/** The bytes Jupyter itself would write: one space of indentation, keys sorted, a newline at the end. */
export function notebookText(raw: RawNotebook): string {
  return `${JSON.stringify(raw, (_key, value) => (isPlain(value) ? sorted(value) : value), 1)}\n`;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const sorted = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
