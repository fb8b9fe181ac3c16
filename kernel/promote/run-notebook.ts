import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { MillraceError, Refusal } from "../../lib/error.ts";
import { Interpreter } from "../cells/interpreter.ts";
import { injectParameters, judgeParameters } from "./inject-parameters.ts";
import { notebookText, type RawCell, type RawOutput, readNotebook, sha256, sourceText } from "./notebook.ts";
import { NotebookOutputs } from "./notebook-outputs.ts";

export interface RunNotebookOptions {
  /** `name=value`, as papermill's `-p`. */
  readonly parameters?: readonly string[];
  /** How long a live cell runs after its first row: `30s`. */
  readonly liveFor?: string;
  /** Where the executed notebook goes; its own file by default. */
  readonly out?: string;
  readonly progress?: (line: string) => void;
}

/** A cell threw; the notebook was saved with everything up to it. */
export class CellFailed extends MillraceError {}

/**
 * Executes a notebook from top to bottom without a front end and saves it with its outputs and journal. Once per process: cells take over
 * `console`, the working directory is the notebook's folder.
 * @throws CellFailed when a cell throws (unless it is tagged `raises-exception`); a Refusal for wrong parameters
 */
export async function runNotebook(file: string, options: RunNotebookOptions = {}): Promise<void> {
  const notebook = await readNotebook(file);
  const out = path.resolve(options.out ?? notebook.file);
  const progress = options.progress ?? (() => {});
  const { constants, variables } = judgeParameters(notebook, options.parameters ?? []);
  for (const [name, value] of variables) process.env[name] = value;
  if (options.liveFor !== undefined) process.env.MILLRACE_LIVE_FOR = duration(options.liveFor);
  const raw = notebook.raw;
  injectParameters(raw, constants);
  prepare(raw.cells);
  raw.nbformat_minor = Math.max(raw.nbformat_minor, 5);
  raw.metadata.kernelspec ??= { name: "millrace", display_name: "Millrace (TypeScript)", language: "typescript" };
  raw.metadata.language_info ??= { name: "typescript", file_extension: ".ts", mimetype: "text/typescript" };

  process.chdir(notebook.folder);
  const interpreter = await Interpreter.create({ cwd: notebook.folder });
  const outputs = new NotebookOutputs();
  const code = raw.cells.filter((cell) => cell.cell_type === "code");
  let failure: CellFailed | undefined;
  const interrupt = () => void interpreter.interrupt();
  process.on("SIGINT", interrupt);
  try {
    for (const [index, cell] of code.entries()) {
      const source = sourceText(cell.source);
      if (source.trim() === "") continue;
      progress(`cell ${index + 1} of ${code.length}: ${source.trim().split("\n", 1)[0]}`);
      const started = performance.now();
      const result = await interpreter.execute(
        { code: source, cellId: cell.id!, headless: true },
        outputs.forCell(cell.outputs!),
      );
      cell.execution_count = result.executionCount;
      progress(`cell ${index + 1}: ${result.status}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
      const mayThrow = ((cell.metadata.tags ?? []) as string[]).includes("raises-exception");
      if (result.status === "error" && !mayThrow) {
        failure = cellFailed(notebook.file, index + 1, cell, result);
        break;
      }
    }
  } finally {
    process.off("SIGINT", interrupt);
    await interpreter.close();
    journal(code, interpreter);
    await save(out, notebookText(raw));
  }
  if (failure !== undefined && variables.size > 0 && /the parameter "/.test(failure.what))
    throw new Refusal({
      code: "PARAMETER_VALUE",
      what: failure.what,
      where: failure.where,
      remedies: failure.remedies,
    });
  if (failure !== undefined) throw failure;
}

function duration(text: string): string {
  if (/^\d+(\.\d+)?(ms|s|m|h)$/.test(text)) return text;
  throw new Refusal({
    code: "BAD_DURATION",
    what: `--for ${text} is not a duration.`,
    remedies: ["give a number and a unit: 500ms, 30s, 2m"],
  });
}

/** Empty outputs and no counts; ids where an older format had none. */
function prepare(cells: readonly RawCell[]): void {
  for (const [position, cell] of cells.entries()) {
    cell.id ??= `cell-${position}`;
    cell.metadata ??= {};
    delete cell.metadata.millrace;
    if (cell.cell_type !== "code") continue;
    cell.outputs = [] as RawOutput[];
    cell.execution_count = null;
  }
}

/** The journal in the cells themselves, so that a cell without output has one, too; with what live cells read after they ended. */
function journal(cells: readonly RawCell[], interpreter: Interpreter): void {
  for (const cell of cells) {
    const entry = interpreter.journal.entries.findLast(({ cellId }) => cellId === cell.id);
    if (entry !== undefined) cell.metadata.millrace = structuredClone(entry);
  }
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const beside = `${file}.${sha256(text).slice(0, 8)}.tmp`;
  await writeFile(beside, text);
  await rename(beside, file);
}

function cellFailed(
  file: string,
  number: number,
  cell: RawCell,
  error: { ename: string; evalue: string; traceback: readonly string[] },
) {
  return new CellFailed({
    code: "CELL_FAILED",
    what: `Cell ${number} threw ${error.ename}.\n${error.traceback.join("\n")}`,
    where: `${path.basename(file)}, cell ${number} (${cell.id})`,
    remedies: ["the notebook was saved with the outputs up to here; correct the cell and run again"],
  });
}
