import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { type Notebook, parseNotebook } from "../../kernel/promote/notebook.ts";

/** A code cell: its source; or with tags, an id, an execution count, a journal. `# text` is a markdown cell. */
export type TestCell =
  | string
  | { source: string; tags?: string[]; id?: string; count?: number | null; metadata?: Record<string, unknown> };

/** nbformat 4.5 text of these cells. */
export function notebookText(cells: readonly TestCell[]): string {
  const raw = cells.map((cell, index) => {
    const { source, tags, id, count, metadata } =
      typeof cell === "string" ? ({ source: cell } as Exclude<TestCell, string>) : cell;
    const base = { id: id ?? `c${index + 1}`, source: source.split(/(?<=\n)/) };
    if (source.startsWith("# ")) return { ...base, cell_type: "markdown", metadata: {} };
    const given = { ...metadata, ...(tags && { tags }) };
    return { ...base, cell_type: "code", metadata: given, outputs: [], execution_count: count ?? null };
  });
  return JSON.stringify({ cells: raw, metadata: {}, nbformat: 4, nbformat_minor: 5 });
}

export function notebookOf(cells: readonly TestCell[], folder: string = os.tmpdir()): Notebook {
  return parseNotebook(notebookText(cells), path.join(folder, "test.ipynb"));
}

/** A folder of its own that is removed with the test file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-promote-"));
  after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
