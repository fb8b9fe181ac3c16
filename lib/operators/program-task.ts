import type pl from "nodejs-polars";
import { MillraceError } from "../error.ts";
import { METADATA } from "../plan/metadata.ts";
import type { OpenStore } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { columns } from "./exprs.ts";
import type { BatchContext, Operator } from "./operator.ts";
import type { ProgramSource } from "./program.ts";
import { Rows } from "./rows.ts";
import type { Task, TaskOutput } from "./task.ts";
import { WATERMARK_STORE, Watermarks, withWatermark } from "./watermarks.ts";

/** What a task runs: nodes in order, inputs first, and which of them are terminals. */
export interface TaskPlan {
  readonly nodes: readonly Compiled[];
  readonly outputs: readonly { readonly id: string; readonly compiled: Compiled }[];
  readonly sources: readonly ProgramSource[];
}

type RunningStep = { readonly operator: Operator } | { readonly query: (rows: pl.LazyDataFrame) => pl.LazyDataFrame };

interface RunningNode {
  readonly compiled: Compiled;
  readonly steps: readonly RunningStep[];
  /** How many nodes and terminals take its rows. */
  readonly takers: number;
}

export async function openTask(plan: TaskPlan, openStore: OpenStore): Promise<Task> {
  const sources = plan.sources.map((source) => source.id);
  const watermarks = await Watermarks.open(openStore(WATERMARK_STORE), sources);
  const takers = new Map<string, number>();
  const take = (key: string): void => void takers.set(key, (takers.get(key) ?? 0) + 1);
  for (const { input } of plan.nodes) if (input !== undefined) take(input.key);
  for (const { compiled } of plan.outputs) take(compiled.key);
  const nodes = plan.nodes.map(
    (compiled): RunningNode => ({
      compiled,
      steps: compiled.steps.map((step) => ("operator" in step ? { operator: step.operator.open(openStore) } : step)),
      takers: takers.get(compiled.key) ?? 0,
    }),
  );
  return new ProgramTask(plan, nodes, watermarks);
}

class ProgramTask implements Task {
  readonly #plan: TaskPlan;
  readonly #nodes: readonly RunningNode[];
  readonly #watermarks: Watermarks;
  readonly #taken = new Map<string, pl.Expr[]>();

  constructor(plan: TaskPlan, nodes: readonly RunningNode[], watermarks: Watermarks) {
    this.#plan = plan;
    this.#nodes = nodes;
    this.#watermarks = watermarks;
  }

  get watermark(): number {
    return this.#watermarks.smallest;
  }

  async process(source: string, frame: pl.DataFrame): Promise<TaskOutput[]> {
    const known = this.#plan.sources.find(({ id }) => id === source);
    if (known === undefined)
      throw new MillraceError({ code: "UNKNOWN_SOURCE", what: `the program has no source ${source}` });
    let batch = frame.select(...this.#inputs(known, frame.columns));
    const before = this.#watermarks.of(source);
    const windows = this.#nodes.some(({ compiled }) => compiled.source.id === source && compiled.watermark === true);
    if (windows) batch = withWatermark(batch, before);
    const watermark = await this.#watermarks.advance(source, batch);
    const start = this.#nodes.find(({ compiled }) => compiled.input === undefined && compiled.source.id === source)!;
    return this.#run(new Map([[start.compiled.key, new Rows({ frame: batch })]]), { watermark, commit: true });
  }

  /** The columns that are taken from a frame; expressions are costly to make, and every batch has the same columns. */
  #inputs(source: ProgramSource, present: readonly string[]): pl.Expr[] {
    const signature = `${source.id} ${present.join()}`;
    let exprs = this.#taken.get(signature);
    if (exprs === undefined) {
      const metadata = METADATA.filter((column) => present.includes(column));
      exprs = columns([...source.columns, ...metadata]);
      this.#taken.set(signature, exprs);
    }
    return exprs;
  }

  async openRows(): Promise<TaskOutput[]> {
    const starts = new Map<string, Rows>();
    for (const { compiled, steps } of this.#nodes)
      for (const step of steps)
        if ("operator" in step && step.operator.open)
          starts.set(compiled.key, new Rows({ frame: await step.operator.open() }));
    return this.#run(starts, { watermark: this.watermark, commit: false });
  }

  counts(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { steps } of this.#nodes)
      for (const step of steps)
        if ("operator" in step)
          for (const [name, count] of Object.entries(step.operator.counts?.() ?? {}))
            sums[name] = (sums[name] ?? 0) + count;
    return sums;
  }

  /** Runs every node whose input has rows, from the rows it is given; what is given is not computed again. */
  async #run(rows: Map<string, Rows>, context: BatchContext): Promise<TaskOutput[]> {
    for (const { compiled, steps, takers } of this.#nodes) {
      const input = compiled.input && rows.get(compiled.input.key);
      if (input === undefined || rows.has(compiled.key)) continue;
      let current = input;
      for (const step of steps) {
        current =
          "operator" in step
            ? new Rows({ frame: await step.operator.process(current.frame(), context) })
            : new Rows({ lazy: step.query(current.lazy()) });
      }
      if (takers > 1) current.frame();
      rows.set(compiled.key, current);
    }
    const outputs: TaskOutput[] = [];
    for (const { id, compiled } of this.#plan.outputs) {
      const frame = rows.get(compiled.key)?.frame();
      if (frame === undefined || frame.height === 0) continue;
      outputs.push({ terminal: id, frame: frame.columns.includes("_watermark") ? frame.drop("_watermark") : frame });
    }
    return outputs;
  }
}
