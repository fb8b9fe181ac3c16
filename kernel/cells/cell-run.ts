import { AsyncLocalStorage } from "node:async_hooks";
import type { CellContext, MimeBundle } from "../../lib/run/host.ts";
import { DisplayBudget } from "./display-budget.ts";
import type { RunningEntry } from "./journal.ts";
import { Lifetime } from "./lifetime.ts";
import { OutputBudget } from "./output-budget.ts";
import type { CellOutputs } from "./outputs.ts";

/** One execution of a cell, from its request until what it opened is closed. Code finds its own by asynchronous context. */
export class CellRun implements CellContext {
  readonly id: string;
  readonly lifetime = new Lifetime();
  readonly outputs: CellOutputs;
  readonly journal: RunningEntry;
  readonly headless: boolean;
  readonly silent: boolean;
  readonly budget: OutputBudget;
  readonly displays: DisplayBudget;
  /** What keeps the cell busy after its last expression: see `NotebookHost.hold`. */
  readonly holds = new Set<Promise<unknown>>();
  /** What the client is asked to show in its pager. */
  readonly pages: MimeBundle[] = [];

  constructor(options: {
    id: string;
    outputs: CellOutputs;
    journal: RunningEntry;
    headless: boolean;
    silent: boolean;
  }) {
    this.id = options.id;
    this.outputs = options.outputs;
    this.journal = options.journal;
    this.headless = options.headless;
    this.silent = options.silent;
    this.budget = new OutputBudget((name, text) => this.outputs.stream(name, text));
    this.displays = new DisplayBudget((text) => this.outputs.stream("stderr", text));
  }

  get signal(): AbortSignal {
    return this.lifetime.signal;
  }

  /** Closes what the cell opened. Listeners of its signal speak as the cell. */
  end(reason: unknown): void {
    currentRun.run(this, () => this.lifetime.end(reason));
  }

  /** Says how much was cut, if anything was. */
  reportCuts(): void {
    this.budget.report();
    this.displays.report();
  }

  clear(wait: boolean): void {
    if (this.silent) return;
    this.displays.clear();
    this.outputs.clear(wait);
  }

  write(name: "stdout" | "stderr", text: string): void {
    if (!this.silent) this.budget.write(name, text);
  }
}

/** The cell whose code is running, or that started what is running now. */
export const currentRun = new AsyncLocalStorage<CellRun>({ name: "millrace.cell" });
