import type pl from "nodejs-polars";
import { MillraceError } from "../error.ts";
import { METADATA } from "../plan/metadata.ts";
import { emptyFrame, type Schema } from "../schema.ts";
import type { OpenStore } from "../state/store.ts";
import { BadRows } from "./bad-rows.ts";
import type { Compiled } from "./compile.ts";
import { expressionFailed } from "./computable-rows.ts";
import { nullInt } from "./exprs.ts";
import { asEntered, enter, enteredSchema, enterPacked, type InputGroup, passed } from "./input-group.ts";
import type { BatchContext, ConcatRows, JoinOperator, Operator } from "./operator.ts";
import { type Batch, isPacked } from "./packed-batch.ts";
import type { ProgramInput } from "./program.ts";
import { inSentOrder, PLACE, waits } from "./repartition.ts";
import type { RowQuery } from "./row-query.ts";
import { Rows } from "./rows.ts";
import type { Task, TaskOutput, TaskResult } from "./task.ts";
import { WATERMARK_STORE, Watermarks } from "./watermarks.ts";

/** What a task runs: nodes in order, inputs first, and which of them are terminals. */
export interface TaskPlan {
  readonly nodes: readonly Compiled[];
  readonly outputs: readonly { readonly id: string; readonly compiled: Compiled }[];
  readonly inputs: readonly ProgramInput[];
  readonly groups: readonly InputGroup[];
  /** What is sent on to other tasks. */
  readonly sends: readonly { readonly id: string; readonly schema: Schema; readonly send: Compiled }[];
}

type RunningStep =
  | { readonly operator: Operator }
  | { readonly join: JoinOperator }
  | { readonly concat: ConcatRows }
  | RowQuery;

interface RunningNode {
  readonly compiled: Compiled;
  readonly steps: readonly RunningStep[];
  /** How many nodes and terminals take its rows. */
  readonly takers: number;
  readonly group: InputGroup;
}

/** What a walk through the nodes is for. */
type Walk =
  | { readonly kind: "batch" }
  /** What operators still hold, without a change of state. */
  | { readonly kind: "open" }
  /** What is due by the wall clock. */
  | { readonly kind: "advance"; readonly now: number };

export async function openTask(plan: TaskPlan, openStore: OpenStore, now: () => number): Promise<Task> {
  const watermarks = await Watermarks.open(openStore(WATERMARK_STORE));
  const takers = new Map<string, number>();
  const take = (key: string): void => void takers.set(key, (takers.get(key) ?? 0) + 1);
  for (const { inputs } of plan.nodes) for (const { key } of inputs) take(key);
  for (const { compiled } of plan.outputs) take(compiled.key);
  const nodes = plan.nodes.map(
    (compiled): RunningNode => ({
      compiled,
      steps: compiled.steps.map((step) => {
        if ("operator" in step) return { operator: step.operator.open(openStore) };
        return "join" in step ? { join: step.join.open(openStore) } : step;
      }),
      takers: takers.get(compiled.key) ?? 0,
      group: plan.groups.find(({ inputs }) => inputs.includes(compiled.sources[0]!.id))!,
    }),
  );
  return new ProgramTask(plan, nodes, watermarks, now);
}

class ProgramTask implements Task {
  readonly #plan: TaskPlan;
  readonly #nodes: readonly RunningNode[];
  readonly #watermarks: Watermarks;
  readonly #taken = new Map<string, string[]>();
  readonly #none = new Map<string, pl.DataFrame>();
  readonly #now: () => number;
  /** When a group last had rows, by the wall clock. */
  readonly #active: Map<string, number>;

  constructor(plan: TaskPlan, nodes: readonly RunningNode[], watermarks: Watermarks, now: () => number) {
    this.#plan = plan;
    this.#nodes = nodes;
    this.#watermarks = watermarks;
    this.#now = now;
    const opened = now();
    this.#active = new Map(plan.groups.map(({ name }) => [name, opened]));
  }

  get watermark(): number {
    const reached = this.#plan.groups.map(({ name }) => this.#watermarks.of(name)).filter((ms) => !Number.isNaN(ms));
    return reached.length === 0 ? Number.NaN : Math.min(...reached);
  }

  watermarkOf(input: string): number {
    return this.#watermarks.of(this.#groupOf(input).name);
  }

  reached(repartition: string): number {
    const { send } = this.#plan.sends.find(({ id }) => id === repartition)!;
    return this.#watermarks.of(this.#groupOf(send.sources[0]!.id).name) - send.delay;
  }

  async process(
    batches: ReadonlyMap<string, Batch>,
    known: ReadonlyMap<string, number> = new Map(),
  ): Promise<TaskResult> {
    const groups = new Set([...batches.keys(), ...known.keys()].map((id) => this.#groupOf(id)));
    const starts = new Map<string, Rows>();
    for (const group of groups) {
      const [only] = group.inputs as [string];
      const alone = group.inputs.length === 1 && group.placed.size === 0 ? batches.get(only) : undefined;
      if (alone !== undefined && isPacked(alone)) {
        this.#active.set(group.name, this.#now());
        const rowsOf = () => this.#input(only, alone);
        starts.set(this.#keyOf(only), await enterPacked(group, alone, rowsOf, this.#watermarks));
        continue;
      }
      const frames = group.inputs.map((id) => this.#input(id, batches.get(id)));
      if (frames.some(({ height }) => height > 0)) this.#active.set(group.name, this.#now());
      const beyond = group.inputs.map((id) => known.get(id) ?? Number.NaN).filter((ms) => !Number.isNaN(ms));
      const entered = await enter(
        group,
        frames,
        beyond.length === 0 ? Number.NaN : Math.max(...beyond),
        this.#watermarks,
      );
      for (const [i, id] of group.inputs.entries()) starts.set(this.#keyOf(id), new Rows(entered.frames[i]!));
    }
    return await this.#run(starts, { kind: "batch" });
  }

  async advance(now: number): Promise<TaskResult> {
    const works = this.#nodes.some(({ steps }) => steps.some((step) => "operator" in step && step.operator.advance));
    if (!works) return { rows: [], bad: [] };
    return await this.#run(this.#nothing(), { kind: "advance", now });
  }

  async openRows(received: ReadonlyMap<string, pl.DataFrame> = new Map()): Promise<TaskResult> {
    const starts = this.#nothing();
    for (const group of new Set([...received.keys()].map((id) => this.#groupOf(id)))) {
      const frames = group.inputs.map((id) => this.#input(id, received.get(id)));
      const entered = asEntered(group, frames, this.#watermarks);
      for (const [i, id] of group.inputs.entries()) starts.set(this.#keyOf(id), new Rows(entered[i]!));
    }
    return await this.#run(starts, { kind: "open" });
  }

  counts(): Readonly<Record<string, number>> {
    const sums: Record<string, number> = {};
    for (const { steps } of this.#nodes)
      for (const step of steps) {
        const running = "operator" in step ? step.operator : "join" in step ? step.join : undefined;
        for (const [name, count] of Object.entries(running?.counts?.() ?? {})) sums[name] = (sums[name] ?? 0) + count;
      }
    return sums;
  }

  #groupOf(id: string): InputGroup {
    const group = this.#plan.groups.find(({ inputs }) => inputs.includes(id));
    if (group === undefined)
      throw new MillraceError({ code: "UNKNOWN_SOURCE", what: `the program has no source ${id}` });
    return group;
  }

  #keyOf(id: string): string {
    return this.#plan.inputs.find((input) => input.id === id)!.key;
  }

  /** The columns that are taken from a frame, by their names: a query would be a wait for Polars' thread. */
  #input(id: string, batch: Batch | undefined): pl.DataFrame {
    const input = this.#plan.inputs.find((one) => one.id === id)!;
    if (batch === undefined) {
      let none = this.#none.get(id);
      if (none === undefined) {
        none = emptyFrame(input.frame);
        this.#none.set(id, none);
      }
      return none;
    }
    const frame = isPacked(batch) ? batch.frame : batch;
    const signature = `${id} ${frame.columns.join()}`;
    let taken = this.#taken.get(signature);
    if (taken === undefined) {
      const metadata = METADATA.filter((column) => frame.columns.includes(column));
      taken = [...input.columns, ...metadata];
      this.#taken.set(signature, taken);
    }
    return frame.select(...taken);
  }

  /** No rows of any input, so that every node runs. */
  #nothing(): Map<string, Rows> {
    const starts = new Map<string, Rows>();
    for (const { id, key, frame } of this.#plan.inputs)
      starts.set(key, new Rows(emptyFrame({ ...frame, ...enteredSchema(this.#groupOf(id)) })));
    return starts;
  }

  /** Runs every node whose inputs have rows. */
  async #run(rows: Map<string, Rows>, walk: Walk): Promise<TaskResult> {
    const bad = new BadRows(rows, this.#plan.inputs);
    for (const node of this.#nodes) {
      const { compiled, takers, group } = node;
      if (rows.has(compiled.key)) continue;
      const inputs = compiled.inputs.map(({ key }) => rows.get(key)).filter((input) => input !== undefined);
      if (inputs.length < compiled.inputs.length || inputs.length === 0) continue;
      const context: BatchContext = {
        watermark: this.#watermarks.of(group.name),
        passed: passed(group, this.#watermarks),
        quiet: walk.kind === "advance" ? walk.now - this.#active.get(group.name)! : 0,
        commit: walk.kind !== "open",
        bad: (frame, reason) => bad.add(compiled, frame, reason),
      };
      const result = await this.#node(node, inputs, walk, context).catch((error) => {
        throw expressionFailed(error);
      });
      if (takers > 1) result.frame();
      rows.set(compiled.key, result);
    }
    const outputs = this.#plan.outputs.flatMap(({ id, compiled }) => {
      const frame = rows.get(compiled.key)?.frame();
      if (frame === undefined || frame.height === 0) return [];
      return [{ terminal: id, frame: withoutInner(frame, compiled) }];
    });
    const sent: TaskOutput[] = [];
    for (const { id, schema, send } of this.#plan.sends) {
      const frame = rows.get(send.key)?.frame();
      if (frame === undefined || frame.height === 0) continue;
      const placed = await this.#inSentOrder(id, send, frame.select(PLACE, ...Object.keys(schema)), walk);
      sent.push({ terminal: id, frame: placed });
    }
    return { rows: [...outputs, ...sent], bad: bad.rows };
  }

  /** Rows that have waited go after those that went before them. */
  async #inSentOrder(id: string, send: Compiled, rows: pl.DataFrame, walk: Walk): Promise<pl.DataFrame> {
    if (!waits(send)) return rows;
    const name = `${id}/sent`;
    const placed = inSentOrder(rows, this.#watermarks.of(name));
    if (walk.kind !== "open") await this.#watermarks.advance(name, Number(placed.getColumn("_order").max()));
    return placed;
  }

  async #node({ steps }: RunningNode, inputs: readonly Rows[], walk: Walk, context: BatchContext): Promise<Rows> {
    let current = inputs[0]!;
    for (const step of steps) {
      if ("query" in step) current = current.after(step, context.bad);
      else if ("concat" in step) current = new Rows(step.concat(inputs.map((input) => input.frame())));
      else if ("join" in step)
        current = new Rows(await step.join.process(inPlace(inputs[0]!.frame()), inPlace(inputs[1]!.frame()), context));
      else current = new Rows(await operate(step.operator, current, walk, context));
    }
    return current;
  }
}

/** Rows as a join compares them: those that windows released have no place in the reading, and say so. */
function inPlace(rows: pl.DataFrame): pl.DataFrame {
  const absent = NO_PLACE.filter(([name]) => !rows.columns.includes(name));
  return absent.length === 0 ? rows : rows.withColumns(...absent.map(([, none]) => none));
}

const NO_PLACE = ["_watermark", "_sequence", "_order"].map((name) => [name, nullInt(name)] as const);

async function operate(operator: Operator, current: Rows, walk: Walk, context: BatchContext): Promise<pl.DataFrame> {
  const { packed } = current;
  if (packed !== undefined && walk.kind === "batch") {
    const rows = await operator.processPacked?.(packed.batch, packed.before, context);
    if (rows !== undefined) return rows;
  }
  const batch = current.frame();
  if (walk.kind === "open" && operator.open !== undefined) return await operator.open(batch);
  const rows = await operator.process(batch, context);
  if (walk.kind !== "advance" || operator.advance === undefined) return rows;
  const due = await operator.advance(walk.now, context);
  return rows.height === 0 ? due : due.height === 0 ? rows : (rows.vstack(due) as unknown as pl.DataFrame);
}

/** A terminal's rows without what is of use inside a task only. */
function withoutInner(frame: pl.DataFrame, { schema }: Compiled): pl.DataFrame {
  const inner = frame.columns.filter((name) => INNER.includes(name) && !Object.hasOwn(schema, name));
  return inner.length === 0 ? frame : frame.drop(...(inner as [string, ...string[]]));
}

const INNER = ["_watermark", "_sequence", "_order"];
