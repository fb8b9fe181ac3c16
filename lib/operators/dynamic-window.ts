import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { type WindowExprs, windowExprs } from "./window-exprs.ts";
import type { WindowPlan } from "./window-plan.ts";

/**
 * Windows of event time, per key.
 * State: partial aggregates per key and open window; where an aggregate needs them, the rows of open windows too.
 * A batch: each row goes to every window that contains its time and was open just before the row; the batch's partial
 * aggregates merge into the windows'. At the watermark: windows whose end and grace it has reached are taken out of the state and given.
 */
export class DynamicWindow implements Operator {
  readonly #plan: WindowPlan;
  readonly #store: KeyedStore;
  readonly #rowStore: KeyedStore | undefined;
  readonly #exprs: WindowExprs;
  readonly #none: pl.DataFrame;
  #late = 0;
  #withoutTime = 0;

  constructor(plan: WindowPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#store = openStore(plan.store);
    this.#rowStore = plan.rowStore && openStore(plan.rowStore);
    this.#exprs = windowExprs(plan);
    this.#none = emptyFrame(plan.schema);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const bound = context.watermark - this.#plan.node.grace;
    if (batch.height === 0 && !(((await this.#store.min("window_end")) ?? Number.POSITIVE_INFINITY) <= bound))
      return this.#none;
    const rows = this.#intoWindows(batch);
    const parts = rows
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.parts)
      .collectSync();
    const limit = Number.isNaN(bound) ? Number.NEGATIVE_INFINITY : bound;
    const closes = exprs.end64.ltEq(pl.lit(limit));
    const taken = await this.#store.takeUpTo("window_end", limit);
    const closing = parts.filter(closes);
    const staying = closing.height === 0 ? parts : parts.filter(closes.not());
    const held = staying.height === 0 ? staying : await this.#held(staying);
    const open = this.#merge(held, staying);
    if (open.height > 0) await this.#store.upsert(open.select(...exprs.toState));
    const earlier = taken.select(...exprs.fromState);
    const closed = this.#merge(earlier, closing);

    const keptRows = this.#rowStore && (await this.#keepRows(rows, [held, earlier], closes, limit));
    if (this.#plan.node.emit === "update") {
      const changed = closed.join(closing, { on: exprs.identity, how: "semi", nullsEqual: true }) as pl.DataFrame;
      return this.#results(
        pl.concat([changed.select(...exprs.order), open.select(...exprs.order)]),
        keptRows && pl.concat([keptRows, await this.#rowsOf(open)]),
      );
    }
    return this.#results(closed, keptRows);
  }

  async open(): Promise<pl.DataFrame> {
    const open = (await this.#store.all()).select(...this.#exprs.fromState);
    return this.#results(open, this.#rowStore && (await this.#rowStore.all()).select(...this.#exprs.fromRowState));
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late, withoutTime: this.#withoutTime };
  }

  /** The batch's rows with start and end of a window, once per window that takes them. */
  #intoWindows(batch: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    let rows = batch
      .lazy()
      .select(...exprs.prepare)
      .withColumns(exprs.start);
    if (exprs.overlapping > 1) rows = rows.withColumns(exprs.starts).explode(exprs.explode);
    const placed = rows
      .withColumns(exprs.end)
      .withColumns(...exprs.window)
      .collectSync();
    const [late, without] = placed.select(...exprs.count).row(0) as [number, number];
    this.#late += late;
    this.#withoutTime += without / exprs.overlapping;
    const { every, period } = this.#plan.node;
    return late === 0 && without === 0 && every === period ? placed : placed.filter(exprs.taken);
  }

  async #held(windows: pl.DataFrame): Promise<pl.DataFrame> {
    const held = await this.#store.lookup(windows.select(...this.#exprs.identityStored));
    return held.select(...this.#exprs.fromState);
  }

  /** One row per window from earlier parts and later ones. */
  #merge(earlier: pl.DataFrame, later: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    if (earlier.height === 0) return later;
    if (later.height === 0) return earlier;
    return pl
      .concat([earlier.select(...exprs.order), later.select(...exprs.order)])
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.merge)
      .collectSync();
  }

  /**
   * Keeps the rows of windows that stay open, and gives those of windows that close.
   * A row's number in its window goes on from the number of rows the window had.
   */
  async #keepRows(
    rows: pl.DataFrame,
    before: readonly pl.DataFrame[],
    closes: pl.Expr,
    limit: number,
  ): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const counts = before.map((part) => part.select(...exprs.before));
    const numbered = (
      rows
        .select(...exprs.rows)
        .withColumns(exprs.index)
        .join(pl.concat(counts), { on: exprs.identity, how: "left", nullsEqual: true }) as pl.DataFrame
    ).withColumns(exprs.row);
    const old = (await this.#rowStore!.takeUpTo("window_end", limit)).select(...exprs.fromRowState);
    await this.#rowStore!.upsert(numbered.filter(closes.not()).select(...exprs.toRowState));
    return pl.concat([old.select(...exprs.rowOrder), numbered.filter(closes).select(...exprs.rowOrder)]);
  }

  async #rowsOf(open: pl.DataFrame): Promise<pl.DataFrame> {
    const all = (await this.#rowStore!.all()).select(...this.#exprs.fromRowState);
    const of = all.join(open, { on: this.#exprs.identity, how: "semi", nullsEqual: true }) as pl.DataFrame;
    return of.select(...this.#exprs.rowOrder);
  }

  /** The rows of these windows, by start and then key. */
  #results(windows: pl.DataFrame, rows: pl.DataFrame | undefined): pl.DataFrame {
    const exprs = this.#exprs;
    if (windows.height === 0) return this.#none;
    let complete = windows.lazy().withColumns(...(this.#plan.results as pl.Expr[]));
    if (rows !== undefined) {
      const values = rows
        .sort("§row")
        .lazy()
        .groupBy(exprs.by)
        .agg(...exprs.collected);
      complete = complete.join(values, { on: exprs.identity, how: "left", nullsEqual: true } as never);
    }
    return complete
      .withColumns(exprs.time)
      .sort(exprs.sort, false, false, true)
      .select(...exprs.outputs)
      .collectSync();
  }
}
