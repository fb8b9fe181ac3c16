import { randomUUID } from "node:crypto";
import { types } from "node:util";
import { Refusal } from "../../lib/error.ts";
import type { LoadedCell } from "../debugger/debugged-cells.ts";
import { toBundle } from "../display/bundle.ts";
import { isThenable } from "../display/probe.ts";
import { LanguageClient } from "../language/client.ts";
import { Bindings } from "./bindings.ts";
import { installCellGlobals } from "./cell-globals.ts";
import { CellRun, currentRun } from "./cell-run.ts";
import { CellScripts } from "./cell-scripts.ts";
import { ColumnKnowledge } from "./column-knowledge.ts";
import { errorContent, typeErrorContent } from "./error-content.ts";
import type { ExecuteRequest, ExecuteResult, ExpressionResult } from "./execution.ts";
import { guardExit } from "./guard-exit.ts";
import { Interrupted } from "./interrupted.ts";
import { Journal, type JournalEntry } from "./journal.ts";
import { JournalFile } from "./journal-file.ts";
import { launch } from "./launch.ts";
import { CellModules } from "./modules.ts";
import { installNotebookHost, KernelHost } from "./notebook-host.ts";
import type { CellOutputs, ErrorContent } from "./outputs.ts";
import { routeChildren } from "./route-children.ts";
import { routeErrors } from "./route-errors.ts";
import { routeOutput } from "./route-output.ts";
import { StaleCells } from "./stale-cells.ts";

export interface InterpreterOptions {
  /** The notebook's folder: modules and relative files resolve from here. */
  readonly cwd: string;
  /**
   * Output whose cell is not known belongs to the cell that is running (the default), or stays with the process: for a program that has something to
   * print itself.
   */
  readonly strayOutput?: "running cell" | "process";
  /** The journal is also kept in a file of the session, for cells that leave no output to carry it. */
  readonly keepsJournal?: boolean;
}

/**
 * Runs TypeScript cells in this thread and keeps what they declare. Knows nothing of sockets or Jupyter: output goes to the `CellOutputs` of each
 * request, language questions to `language`. One per process: it takes over `console`, `process.stdout`, timers and the library's notebook host.
 */
export class Interpreter {
  readonly language: LanguageClient;
  readonly journal = new Journal();
  readonly session = randomUUID();
  /** Called with each cell after it was compiled; the cell runs when the promise resolves. For a debugger. */
  onLoaded: ((cell: LoadedCell) => Promise<void>) | undefined;
  /** The notebook's folder. */
  readonly cwd: string;
  readonly #bindings = new Bindings();
  readonly #scripts: CellScripts;
  readonly #columns: ColumnKnowledge;
  readonly #modules: CellModules;
  readonly #stale = new StaleCells();
  readonly #journalFile: JournalFile | undefined;
  readonly #runs = new Set<CellRun>();
  readonly #runOfCell = new Map<string, CellRun>();
  readonly #interruptible = new Map<CellRun, (reason: Error) => void>();
  /** Subshells with a running cell; undefined is the parent shell. */
  readonly #lanes = new Set<string | undefined>();
  #seq = 0;
  #hidden = 0;
  #executionCount = 0;

  private constructor(cwd: string, language: LanguageClient, keepsJournal: boolean) {
    this.cwd = cwd;
    this.language = language;
    this.#columns = new ColumnKnowledge(language, () => this.#bindings.values());
    this.#journalFile = keepsJournal ? new JournalFile(this.session) : undefined;
    this.#scripts = new CellScripts(cwd);
    this.#modules = new CellModules(cwd, (url, sourceMap) => this.#scripts.mapped(url, sourceMap));
  }

  static async create({
    cwd,
    strayOutput = "running cell",
    keepsJournal = false,
  }: InterpreterOptions): Promise<Interpreter> {
    const interpreter = new Interpreter(cwd, LanguageClient.start(cwd), keepsJournal);
    const host = new KernelHost(() => interpreter.running);
    installNotebookHost(host);
    Object.defineProperty(globalThis, Symbol.for("millrace.names"), {
      value: () => interpreter.#bindings.values(),
      configurable: true,
    });
    installCellGlobals(host);
    routeOutput(strayOutput === "process" ? () => currentRun.getStore() : () => host.cell());
    routeErrors(host, interpreter.#scripts);
    if (strayOutput === "running cell") routeChildren();
    guardExit();
    return interpreter;
  }

  /** The number of the last counted execution. */
  get executionCount(): number {
    return this.#executionCount;
  }

  /** The cell that is busy now. */
  get running(): CellRun | undefined {
    return this.#interruptible.keys().next().value;
  }

  /** The number the next counted execution will get is given before it runs, for `execute_input`. */
  nextCount(request: ExecuteRequest): number {
    return counts(request) ? this.#executionCount + 1 : this.#executionCount;
  }

  /** The cells that ran so far, as a debugger wants them. */
  loadedCells(): LoadedCell[] {
    return this.#scripts.all();
  }

  /** Runs one cell to its end. A failure is told to `outputs.error` and in the result. One at a time per subshell: a second is refused. */
  async execute(request: ExecuteRequest, outputs: CellOutputs): Promise<ExecuteResult> {
    if (this.#lanes.has(request.subshell))
      throw new Refusal({
        code: "CELL_BUSY",
        what: "a cell is still running",
        remedies: ["await it, or interrupt it"],
      });
    for (const id of request.deletedCells ?? []) this.closeCell(id, "the cell was deleted");
    if (request.cellId !== undefined) this.closeCell(request.cellId, "the cell was run again");
    if (counts(request)) this.#executionCount++;
    const executionCount = this.#executionCount;
    const run = this.#begin(request, outputs);
    this.#lanes.add(request.subshell);
    const name = counts(request) ? `cell ${executionCount}` : `hidden cell ${++this.#hidden}`;
    try {
      const result = await this.#untilInterrupted(run, async () => {
        await this.#runCell(run, request.code, name, executionCount);
        return this.#evaluateAll(run, request.userExpressions ?? {});
      });
      const journal = this.#journalled(run, true);
      return { status: "ok", executionCount, userExpressions: result, pages: run.pages, journal };
    } catch (error) {
      const journal = this.#journalled(run, false);
      const content = this.#failure(error);
      run.reportCuts();
      if (!run.silent) outputs.error(content);
      const deleted = run.signal.aborted && !(run.signal.reason instanceof Interrupted);
      return { status: "error", executionCount, journal, deleted, ...content };
    } finally {
      this.#lanes.delete(request.subshell);
    }
  }

  /** Ends the running cell: its signal is aborted, and after a short grace it fails with `Interrupted`. False when none was running. */
  interrupt(): boolean {
    const busy = [...this.#interruptible].map(([run, fail]) => ({ run, fail, reason: new Interrupted() }));
    // First of all: a listener of the signal may not end, and be terminated with everything behind it.
    for (const { fail, reason } of busy) setTimeout(fail, INTERRUPT_GRACE, reason);
    for (const { run, reason } of busy) run.end(reason);
    return busy.length > 0;
  }

  /** Closes what a cell opened. One that is still running fails after a short grace: the timers it may be waiting for are among what is closed. */
  closeCell(cellId: string, why: string): void {
    const run = this.#runOfCell.get(cellId);
    if (run === undefined) return;
    this.#runOfCell.delete(cellId);
    this.#runs.delete(run);
    this.#stale.forget(run);
    const reason = new DOMException(why, "AbortError");
    const fail = this.#interruptible.get(run);
    if (fail !== undefined) setTimeout(fail, INTERRUPT_GRACE, reason);
    run.end(reason);
  }

  /** Closes what all cells opened. */
  async close(): Promise<void> {
    this.interrupt();
    for (const run of this.#runs) run.end(new DOMException("the kernel stops", "AbortError"));
    this.#runs.clear();
    await this.language.close();
  }

  /** Closes the entry of an execution; what it reads later is in the metadata of what it shows. */
  #journalled(run: CellRun, ok: boolean): JournalEntry {
    run.journal.end(ok);
    const entry = run.journal.metadata().millrace;
    this.#journalFile?.add(entry);
    return entry;
  }

  #begin(request: ExecuteRequest, outputs: CellOutputs): CellRun {
    const seq = ++this.#seq;
    const { cellId, code, silent = false, headless = false } = request;
    const journal = this.journal.begin({
      seq,
      session: this.session,
      cellId,
      executionCount: this.#executionCount,
      source: code,
    });
    const run = new CellRun({ id: cellId ?? `execution-${seq}`, outputs, journal, headless, silent });
    this.#runs.add(run);
    run.lifetime.onEnd(() => this.#runs.delete(run));
    if (cellId !== undefined) this.#runOfCell.set(cellId, run);
    return run;
  }

  /**
   * A terminated script takes the whole stack with it and its promise never settles. So user code is always entered from a stack of its own (`launch`),
   * and only raced from here.
   */
  async #untilInterrupted<T>(run: CellRun, work: () => Promise<T>): Promise<T> {
    const interrupted = new Promise<never>((_, fail) => this.#interruptible.set(run, fail));
    try {
      return await Promise.race([launch(() => currentRun.run(run, work)), interrupted]);
    } finally {
      this.#interruptible.delete(run);
    }
  }

  async #runCell(run: CellRun, code: string, name: string, executionCount: number): Promise<void> {
    const [value] = await this.#evaluate(code, name, run);
    if (value !== undefined && !run.silent) {
      const bundle = await toBundle(value);
      run.journal.end(true);
      if (Object.keys(bundle).length > 0) run.outputs.result(executionCount, bundle, { ...run.journal.metadata() });
    }
    while (run.holds.size > 0) await Promise.all(run.holds);
    run.reportCuts();
  }

  /** The last expression, awaited, in an array: what it is may have a `then` that is not to be touched. */
  async #evaluate(code: string, name: string, run?: CellRun): Promise<readonly [unknown]> {
    if (run !== undefined) await this.#columns.before(code);
    const compiled = await this.language.compile(name, code);
    if (compiled.diagnostics.length > 0) throw new TypeErrors(typeErrorContent(compiled.diagnostics));
    const cell = this.#scripts.load(name, compiled);
    if (this.onLoaded !== undefined && run !== undefined)
      await this.onLoaded({ name, source: code, sourceMap: JSON.parse(compiled.sourceMap) });
    try {
      const [value] = (await cell(this.#bindings.forCells, this.#modules.importer, this.#modules.meta)) ?? [undefined];
      return isThenable(value) ? [await value] : [value];
    } finally {
      if (run !== undefined) this.#columns.after();
      if (run !== undefined && this.#runOfCell.get(run.id) === run) this.#stale.ran(run, name, compiled);
    }
  }

  #failure(error: unknown): ErrorContent {
    // What a cell throws may be a proxy that fails at `instanceof`.
    return types.isNativeError(error) && error instanceof TypeErrors
      ? error.content
      : errorContent(error, this.#scripts);
  }

  async #evaluateAll(
    run: CellRun,
    expressions: Readonly<Record<string, string>>,
  ): Promise<Record<string, ExpressionResult>> {
    const results: Record<string, ExpressionResult> = {};
    for (const [name, expression] of Object.entries(expressions)) {
      try {
        const [value] = await this.#evaluate(`(${expression}\n)`, `hidden cell ${++this.#hidden}`);
        results[name] = { status: "ok", data: await toBundle(value), metadata: {} };
      } catch (error) {
        if (run.signal.aborted) throw error;
        results[name] = { status: "error", ...this.#failure(error) };
      }
    }
    return results;
  }
}

/** How long a cell may take to end by itself once its signal is aborted, in ms. */
const INTERRUPT_GRACE = 150;

const counts = ({ silent = false, storeHistory = true }: ExecuteRequest) => storeHistory && !silent;

/** A cell that was not run because of its types. */
class TypeErrors extends Error {
  readonly content: ErrorContent;

  constructor(content: ErrorContent) {
    super(content.evalue);
    this.content = content;
  }
}
