import pl from "nodejs-polars";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import type { Schema } from "../schema.ts";
import type { KeyedStore, StoreSpec } from "../state/store.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";
import { asNumbers } from "./row-clocks.ts";
import { windowSequence } from "./window-sequence.ts";

/** Windows that also close when their partition has been quiet. All in milliseconds. */
export interface Idle {
  /** How long the partition has to have been without records, by the wall clock. */
  readonly after: number;
  readonly indexColumn: string;
  readonly grace: number;
  /** How far rows lag behind the watermark when they come here. */
  readonly delay: number;
  /** The end of every window that a row of this time, or an earlier one, is in. */
  readonly end: (time: number) => number;
}

/**
 * Windows, or their late rows, that do not wait for ever in a quiet partition: once it has been quiet for long enough, whatever is open closes as if
 * event time had come to the end of it, and stays closed.
 * State: the largest time of rows so far, and up to where windows were closed by the clock. It is all that the clock decides, and is saved with
 * the state it decided on: what was closed before a restart stays closed after it.
 */
export class IdleWindows implements Operator {
  readonly #inner: Operator;
  readonly #idle: Idle;
  readonly #store: KeyedStore;
  readonly #time: pl.Expr;
  #read: Promise<void> | undefined;
  /** No rows, as they come here. */
  #none: pl.DataFrame | undefined;
  #latest = Number.NaN;
  /** The end of what was closed by the clock; NaN for nothing. */
  #closed = Number.NaN;

  constructor(inner: Operator, idle: Idle, store: KeyedStore) {
    this.#inner = inner;
    this.#idle = idle;
    this.#store = store;
    this.#time = asNumbers(pl.col(idle.indexColumn).cast(pl.Datetime("ms")).max()).alias("latest");
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    await this.#known();
    this.#none ??= batch.head(0);
    const latest = batch.height === 0 ? Number.NaN : (batch.select(this.#time).row(0)[0] as number);
    const rows = await this.#inner.process(this.#judged(batch), this.#context(context));
    if (latest > this.#latest || (Number.isNaN(this.#latest) && !Number.isNaN(latest))) {
      this.#latest = latest;
      if (context.commit) await this.#keep();
    }
    return rows;
  }

  async open(upstream: pl.DataFrame): Promise<pl.DataFrame> {
    await this.#known();
    return this.#inner.open === undefined ? upstream.head(0) : await this.#inner.open(this.#judged(upstream));
  }

  /** Called after a batch, which may be empty. */
  async advance(_: number, context: BatchContext): Promise<pl.DataFrame> {
    const end = this.#idle.end(this.#latest);
    if (context.quiet >= this.#idle.after && !(end <= this.#closed) && !Number.isNaN(end)) {
      this.#closed = end;
      await this.#keep();
    }
    return await this.#inner.process(this.#none!, this.#context(context));
  }

  counts(): Readonly<Record<string, number>> {
    return this.#inner.counts?.() ?? {};
  }

  /** The batch with what was closed by the clock in its watermarks: rows that come for it are late. */
  #judged(batch: pl.DataFrame): pl.DataFrame {
    if (Number.isNaN(this.#closed) || batch.height === 0) return batch;
    const closed = pl.lit(this.#closed + this.#idle.grace).cast(pl.Int64);
    const known = batch.columns.includes("_watermark");
    return batch.withColumns((known ? pl.maxHorizontal([WATERMARK, closed]) : closed).alias("_watermark"));
  }

  #context(context: BatchContext): BatchContext {
    const closed = this.#closed + this.#idle.grace + this.#idle.delay;
    return closed > context.watermark || Number.isNaN(context.watermark) ? { ...context, watermark: closed } : context;
  }

  /** Reads the state once, before the first batch. */
  #known(): Promise<void> {
    this.#read ??= this.#store.all().then((held) => {
      const [row] = held.select(asNumbers(pl.col("latest")), asNumbers(pl.col("closed"))).rows() as [number, number][];
      if (row !== undefined) [this.#latest, this.#closed] = row;
    });
    return this.#read;
  }

  async #keep(): Promise<void> {
    const int = (ms: number, name: string): pl.Expr =>
      (Number.isNaN(ms) ? pl.lit(null) : pl.lit(ms)).cast(pl.Int64).alias(name);
    await this.#store.upsert(
      pl
        .DataFrame({ idle: [0] })
        .select(pl.col("idle").cast(pl.Int32), int(this.#latest, "latest"), int(this.#closed, "closed")),
    );
  }
}

const WATERMARK = pl.col("_watermark");

const SCHEMA: Schema = { idle: "Int32", latest: "Int64", closed: "Int64" };

/** The operator of windows, or of their late rows, that also closes when its partition has been quiet. */
export function withIdle(plan: OperatorPlan, idle: Idle, name: string): OperatorPlan {
  const store: StoreSpec = { name, key: ["idle"], schema: SCHEMA };
  return {
    ...plan,
    stores: [...plan.stores, store],
    open: (openStore) => new IdleWindows(plan.open(openStore), idle, openStore(store)),
  };
}

type Shape = Pick<GroupByDynamicNode, "every" | "period" | "offset" | "calendar">;

/** The end of the last window that holds a time: what follows it has not begun. */
export const endOfDynamic = (shape: Shape): Idle["end"] => {
  const windows = windowSequence(shape);
  return (time) => (Number.isNaN(time) ? time : windows.end(windows.newest(time)));
};

export const endOfSession =
  (gap: number): Idle["end"] =>
  (time) =>
    time + gap;

/** A rolling window is passed when event time is beyond its end. */
export const endOfRolling =
  (node: { readonly offset: number; readonly period: number }): Idle["end"] =>
  (time) =>
    time + Math.max(0, node.offset + node.period) + 1;
