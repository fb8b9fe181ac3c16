import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type ts from "typescript";
import { MillraceError } from "../../lib/error.ts";
import type { Analysis } from "./analyse.ts";
import { edited, runEdits } from "./edits.ts";
import type { NotebookAnswer, NotebookRequest } from "./notebook-request.ts";

export interface Execution {
  readonly answer: NotebookAnswer;
  /** File name -> bytes of the samples. */
  readonly samples: ReadonlyMap<string, Uint8Array>;
}

/**
 * Executes the kept statements as the notebook has them, cell by cell, in a process of its own: they tell the plan, the schemas, the
 * parameters, and the rows the sinks would write over what the notebook read.
 */
export async function executeNotebook(
  analysis: Analysis,
  request: Omit<NotebookRequest, "folder" | "cells" | "samples">,
): Promise<Execution> {
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-promotion-"));
  try {
    const [requestFile, answerFile] = [path.join(work, "request.json"), path.join(work, "answer.json")];
    const { folder } = analysis.notebook;
    await writeFile(requestFile, JSON.stringify({ ...request, folder, cells: keptCode(analysis), samples: work }));
    const printed = await run([path.join(import.meta.dirname, "notebook-child.ts"), requestFile, answerFile]);
    const text = await readFile(answerFile, "utf8").catch(() =>
      JSON.stringify({ error: `The cells ended the process.\n${printed}` }),
    );
    const answer = JSON.parse(text) as NotebookAnswer & { error?: string };
    if (answer.error !== undefined) throw new MillraceError({ code: "NOTEBOOK_FAILED", what: answer.error });
    const samples = new Map<string, Uint8Array>();
    if ("samples" in answer.recorded) {
      for (const topic of Object.keys(answer.recorded.samples)) {
        samples.set(`${topic}.jsonl.gz`, await readFile(path.join(work, `${topic}.jsonl.gz`)));
      }
    }
    return { answer, samples };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The kept statements of each cell as they are written, except that no sink is run. */
function keptCode({ slice, notebook }: Analysis): NotebookRequest["cells"] {
  return notebook.cells.flatMap((cell, index) => {
    const { text } = slice.cells.files[index]!.sourceFile;
    const units = slice.units.filter((unit) => unit.cell === cell && slice.kept.has(unit.index));
    const code = units.map((unit) => {
      const source = edited(text, unit.node.getStart(), unit.node.getEnd(), runEdits(unit, slice));
      if (unit.declaration === undefined) return source;
      const list = (unit.statement as ts.VariableStatement).declarationList;
      return `${text.slice(list.getStart(), list.declarations[0]!.getStart())}${source}`;
    });
    return units.length === 0 ? [] : [{ number: cell.number, id: cell.id, code: `${code.join(";\n")};` }];
  });
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    const collect = (chunk: Buffer) => {
      printed = (printed + chunk).slice(-4000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("exit", () => resolve(printed));
  });
}
