import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { ExecuteRequest, ExecuteResult } from "../../../kernel/cells/execution.ts";
import { Interpreter } from "../../../kernel/cells/interpreter.ts";
import type { CellOutputs } from "../../../kernel/cells/outputs.ts";
import type { MimeBundle } from "../../../lib/run/host.ts";

export interface Shown {
  readonly kind: "display" | "update" | "result";
  readonly bundle: MimeBundle;
  readonly metadata: Record<string, unknown>;
  readonly id?: string;
}

/** What one cell gave; goes on growing when the cell speaks after its end. */
export class Outputs implements CellOutputs {
  stdout = "";
  stderr = "";
  readonly shown: Shown[] = [];
  traceback = "";

  stream(name: "stdout" | "stderr", text: string): void {
    this[name] += text;
  }
  display(bundle: MimeBundle, metadata: Record<string, unknown>, id: string): void {
    this.shown.push({ kind: "display", bundle, metadata, id });
  }
  updateDisplay(bundle: MimeBundle, metadata: Record<string, unknown>, id: string): void {
    this.shown.push({ kind: "update", bundle, metadata, id });
  }
  clear(): void {
    this.shown.length = 0;
  }
  result(_count: number, bundle: MimeBundle, metadata: Record<string, unknown>): void {
    this.shown.push({ kind: "result", bundle, metadata });
  }
  error({ traceback }: { traceback: readonly string[] }): void {
    this.traceback = stripVTControlCharacters(traceback.join("\n"));
  }

  /** The last expression as text. */
  get text(): unknown {
    return this.shown.findLast(({ kind }) => kind === "result")?.bundle["text/plain"];
  }
}

export interface Session {
  readonly interpreter: Interpreter;
  readonly folder: string;
  run(code: string, request?: Omit<ExecuteRequest, "code">): Promise<Outputs & { readonly end: ExecuteResult }>;
  /** Runs cells one after the other and gives the text of the last one's result. */
  text(...cells: string[]): Promise<unknown>;
}

/** An interpreter in this process, in a folder of its own. One per test file: it takes over the console. */
export async function session(): Promise<Session> {
  const folder = await mkdtemp(path.join(tmpdir(), "millrace-session-"));
  const interpreter = await Interpreter.create({ cwd: folder, strayOutput: "process" });
  after(async () => {
    await interpreter.close();
    await rm(folder, { recursive: true, force: true });
  });
  const run: Session["run"] = async (code, request = {}) => {
    const outputs = new Outputs();
    const end = await interpreter.execute({ code, ...request }, outputs);
    return Object.assign(outputs, { end });
  };
  const text: Session["text"] = async (...cells) => {
    let last: Outputs | undefined;
    for (const cell of cells) {
      last = await run(cell);
      if (last.traceback !== "") throw new Error(last.traceback);
    }
    return last?.text;
  };
  return { interpreter, folder, run, text };
}
