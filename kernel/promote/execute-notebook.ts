import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { MillraceError } from "../../lib/error.ts";
import { showAmounts } from "../../lib/run/amount-done.ts";
import type { Analysis } from "./analyse.ts";
import { emitStatements } from "./emit-main.ts";
import type { NotebookAnswer, NotebookRequest } from "./notebook-request.ts";

export interface Execution {
  readonly answer: NotebookAnswer;
  /** File name -> bytes of the samples. */
  readonly samples: ReadonlyMap<string, Uint8Array>;
}

/**
 * Executes the kept statements, as Node will in the job, in a process of its own with the notebook's folder around it: they tell the plan, the schemas, the
 * parameters, and the rows the sinks would write over what the notebook read.
 */
export async function executeNotebook(
  analysis: Analysis,
  request: Omit<NotebookRequest, "folder" | "code" | "samples">,
  progress: (line: string) => void,
  signal?: AbortSignal,
): Promise<Execution> {
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-promotion-"));
  try {
    const [requestFile, answerFile] = [path.join(work, "request.json"), path.join(work, "answer.json")];
    const { folder } = analysis.notebook;
    await writeFile(
      requestFile,
      JSON.stringify({ ...request, folder, code: emitStatements(analysis.slice, analysis), samples: work }),
    );
    const args = [path.join(import.meta.dirname, "notebook-child.ts"), requestFile, answerFile];
    const printed = await run(args, progress, signal);
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

function run(args: readonly string[], progress: (line: string) => void, signal?: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    // cells may hold on to a process that is asked to end
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      killSignal: "SIGKILL",
      ...(signal && { signal }),
    });
    showAmounts(child, progress);
    let printed = "";
    const collect = (chunk: Buffer) => {
      printed = (printed + chunk).slice(-4000);
    };
    child.stdout!.on("data", collect);
    child.stderr!.on("data", collect);
    child.on("error", reject);
    child.on("exit", () => resolve(printed));
  });
}
