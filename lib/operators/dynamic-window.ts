import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { DistinctValues } from "./distinct-values.ts";
import { beside } from "./exprs.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { MANY_ROWS, type PackedBatch } from "./packed-batch.ts";
import { packedRuns, type RunsOf } from "./packed-runs.ts";
import { clocks, integers, numbers } from "./row-clocks.ts";
import { spread } from "./spread.ts";
import { type Tumbling, tumbling } from "./tumbling.ts";
import { type WindowExprs, windowExprs } from "./window-exprs.ts";
import { place } from "./window-placement.ts";
import type { WindowPlan } from "./window-plan.ts";
import { type WindowSequence, windowSequence } from "./window-sequence.ts";

/**
 * Windows of event time, per key.
 * State: partial aggregates per key and open window; where an aggregate needs them, the rows or the different values of open windows too.
 * A batch: each row goes to every window that contains its time and was open just before the row; the batch's partial
 * aggregates merge into the windows'. At the watermark: windows whose end and grace it has reached are taken out of the state and given.
 *
 * Rows that go to the same windows form a pane: where windows overlap, panes are aggregated first and their few values then go to each window.
 */
export class DynamicWindow implements Operator {
  readonly #plan: WindowPlan;
  readonly #windows: WindowSequence;
  readonly #store: KeyedStore;
  readonly #rowStore: KeyedStore | undefined;
  readonly #distinct: readonly DistinctValues[];
  readonly #exprs: WindowExprs;
  readonly #none: pl.DataFrame;
  readonly #inPanes: boolean;
  readonly #runsOf: RunsOf | undefined;
  readonly #tumbling = new Map<boolean, Tumbling>();
  #late = 0;
  #withoutTime = 0;

  constructor(plan: WindowPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#windows = windowSequence(plan.node);
    this.#store = openStore(plan.store);
    this.#rowStore = plan.rowStore && openStore(plan.rowStore);
    this.#distinct = plan.distinct.map((distinct) => new DistinctValues(distinct, openStore));
    this.#exprs = windowExprs(plan);
    this.#none = emptyFrame(plan.released);
    this.#runsOf = packedRuns(plan);
    this.#inPanes = plan.aggregates.partials.every(({ anyOrder }) => anyOrder !== "rows");
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const limit = this.#limit(context);
    if (batch.height === 0 && !(((await this.#store.min("window_end")) ?? Number.POSITIVE_INFINITY) <= limit))
      return this.#none;
    const placed = this.#place(batch);
    let parts = this.#parts(placed);
    for (const distinct of this.#distinct) {
      const fresh = await distinct.fresh(this.#values(distinct, placed));
      await distinct.remember(fresh);
      await distinct.forgetUpTo("window_end", limit);
      parts = distinct.add(parts, fresh);
    }
    return await this.#take(parts, placed, limit);
  }

  async processPacked(batch: PackedBatch, before: number, context: BatchContext): Promise<pl.DataFrame | undefined> {
    const runs = this.#runsOf?.(batch.records, before);
    if (runs === undefined) return undefined;
    this.#late += runs.late;
    const exprs = this.#exprs;
    const merged = runs.frame
      .lazy()
      .groupBy(exprs.byWindow)
      .agg(...exprs.mergeRuns)
      .collectSync();
    return await this.#take(this.#timed(merged), undefined, this.#limit(context));
  }

  /** The time up to which windows close, ms. */
  #limit({ watermark }: BatchContext): number {
    const reached = watermark - this.#plan.delay - this.#plan.node.grace;
    return Number.isNaN(reached) ? Number.NEGATIVE_INFINITY : reached;
  }

  /** Partial aggregates go into their windows, and windows that close are given. @param placed their rows, where rows are kept */
  async #take(parts: pl.DataFrame, placed: Placed | undefined, limit: number): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const closes = exprs.end64.ltEq(pl.lit(limit));
    const taken = await this.#store.takeUpTo("window_end", limit);
    const closing = parts.filter(closes);
    const staying = closing.height === 0 ? parts : parts.filter(closes.not());
    const held = staying.height === 0 ? staying : await this.#held(staying);
    const open = this.#merge(held, staying);
    if (open.height > 0) await this.#store.upsert(open.select(...exprs.toState));
    const earlier = taken.select(...exprs.fromState);
    const closed = this.#merge(earlier, closing);

    const keptRows =
      this.#rowStore && placed && (await this.#keepRows(this.#rows(placed), [held, earlier], closes, limit));
    if (this.#plan.node.emit === "update") {
      const changed = closed.join(closing, { on: exprs.identity, how: "semi", nullsEqual: true }) as pl.DataFrame;
      return this.#results(
        pl.concat([changed.select(...exprs.order), open.select(...exprs.order)]),
        keptRows && pl.concat([keptRows, await this.#rowsOf(open)]),
      );
    }
    return this.#results(closed, keptRows);
  }

  async open(upstream: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const placed = this.#place(upstream);
    let parts = this.#parts(placed);
    for (const distinct of this.#distinct)
      parts = distinct.add(parts, await distinct.fresh(this.#values(distinct, placed)));
    const held = (await this.#store.all()).select(...exprs.fromState);
    const open = this.#merge(held, parts);
    if (this.#rowStore === undefined) return this.#results(open, undefined);
    const rows = (await this.#rowStore.all()).select(...exprs.fromRowState);
    const added = this.#numbered(this.#rows(placed), [held]);
    return this.#results(open, pl.concat([rows.select(...exprs.rowOrder), added.select(...exprs.rowOrder)]));
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late, withoutTime: this.#withoutTime };
  }

  /** The batch's rows that have windows, and which: those from `§oldest` to `§newest`, `overlapping` at most. */
  #place(batch: pl.DataFrame): Placed {
    const exprs = this.#exprs;
    const { calendar, every, period } = this.#plan.node;
    if (calendar === undefined && every === period) return this.#placeOnce(batch);
    const { times, watermarks } = clocks(batch, this.#plan.node.indexColumn);
    const placement = place(this.#windows, times, watermarks, this.#plan.node.grace);
    this.#late += placement.late;
    this.#withoutTime += placement.withoutTime;
    const { overlapping, complete } = placement;
    const columns = pl.DataFrame([integers("§newest", placement.newest), integers("§oldest", placement.oldest)]);
    const rows = beside(batch.select(...exprs.prepare), columns);
    return { rows: complete ? rows : rows.filter(exprs.taken), overlapping, packed: holdsManyRows(batch) };
  }

  /** The same where windows do not overlap. */
  #placeOnce(batch: pl.DataFrame): Placed {
    const judged = batch.columns.includes("_watermark");
    let own = this.#tumbling.get(judged);
    if (own === undefined) {
      own = tumbling(this.#plan.node, judged);
      this.#tumbling.set(judged, own);
    }
    const rows = batch.select(...this.#exprs.prepare, ...own.place);
    const [late, withoutTime] = rows.select(...own.count).row(0) as [number, number];
    this.#late += late;
    this.#withoutTime += withoutTime;
    return {
      rows: late + withoutTime === 0 ? rows : rows.filter(own.taken),
      overlapping: 1,
      packed: holdsManyRows(batch),
    };
  }

  /** Partial aggregates of the rows, one row per window. */
  #parts({ rows, overlapping, packed }: Placed): pl.DataFrame {
    const exprs = this.#exprs;
    const single = overlapping === 1;
    if (single && packed)
      return this.#timed(
        this.#windowed({ rows, overlapping, packed })
          .withColumns(exprs.run)
          .groupBy(exprs.byRun)
          .agg(...exprs.ofRun, ...exprs.parts)
          .sort(exprs.byRun)
          .groupBy(exprs.byWindow)
          .agg(...exprs.mergeRuns)
          .collectSync(),
      );
    if (single || !this.#inPanes)
      return this.#timed(
        this.#windowed({ rows, overlapping, packed })
          .groupBy(exprs.byWindow)
          .agg(...exprs.parts)
          .collectSync(),
      );
    const panes = rows
      .lazy()
      .withColumns(exprs.row)
      .groupBy(exprs.byPane)
      .agg(...exprs.parts, ...exprs.places);
    return this.#timed(
      spread(panes, overlapping)
        .groupBy(exprs.byWindow)
        .agg(...exprs.mergePanes)
        .collectSync(),
    );
  }

  /** The different values of the rows, by window. */
  #values(distinct: DistinctValues, { rows, overlapping }: Placed): pl.DataFrame {
    const values = distinct.spread(rows.lazy().groupBy(this.#exprs.byPane).agg(distinct.values).collectSync());
    return this.#timed(this.#windowed({ rows: values, overlapping, packed: false }).collectSync());
  }

  /** The rows, once per window that takes them. */
  #rows(placed: Placed): pl.DataFrame {
    return this.#timed(this.#windowed(placed).collectSync());
  }

  #windowed({ rows, overlapping }: Placed): pl.LazyDataFrame {
    return spread(rows.lazy(), overlapping);
  }

  /** Start and end beside the number of a window. */
  #timed(rows: pl.DataFrame): pl.DataFrame {
    const numbersOf = numbers(rows.select(WINDOW.cast(pl.Float64)), "§window");
    const starts = numbersOf.map((window) => this.#windows.start(window));
    const ends = numbersOf.map((window) => this.#windows.end(window));
    const times = pl.DataFrame([integers("§window_start", starts), integers("§window_end", ends)]).select(...TIMES);
    return beside(rows, times);
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

  /** A row's number in its window goes on from the number of rows the window had. */
  #numbered(rows: pl.DataFrame, before: readonly pl.DataFrame[]): pl.DataFrame {
    const exprs = this.#exprs;
    const counts = before.map((part) => part.select(...exprs.before));
    const joined = rows
      .select(...exprs.rows)
      .withColumns(exprs.index)
      .join(pl.concat(counts), { on: exprs.identity, how: "left", nullsEqual: true }) as pl.DataFrame;
    return joined.withColumns(exprs.rowNumber);
  }

  /** Keeps the rows of windows that stay open, and gives those of windows that close. */
  async #keepRows(
    rows: pl.DataFrame,
    before: readonly pl.DataFrame[],
    closes: pl.Expr,
    limit: number,
  ): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const numbered = this.#numbered(rows, before);
    const old = (await this.#rowStore!.takeUpTo("window_end", limit)).select(...exprs.fromRowState);
    await this.#rowStore!.upsert(numbered.filter(closes.not()).select(...exprs.toRowState));
    return pl.concat([old.select(...exprs.rowOrder), numbered.filter(closes).select(...exprs.rowOrder)]);
  }

  async #rowsOf(open: pl.DataFrame): Promise<pl.DataFrame> {
    const rows = await this.#rowStore!.scan(open.select(...this.#exprs.identityStored));
    return rows.select(...this.#exprs.fromRowState).select(...this.#exprs.rowOrder);
  }

  /** The rows of these windows, by end and then key. */
  #results(windows: pl.DataFrame, rows: pl.DataFrame | undefined): pl.DataFrame {
    const exprs = this.#exprs;
    if (windows.height === 0) return this.#none;
    let complete = windows.lazy().withColumns(...exprs.results);
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

interface Placed {
  readonly rows: pl.DataFrame;
  readonly overlapping: number;
  /** Records hold many rows each: neighbours are then mostly of one key and window, and are aggregated before they are grouped. */
  readonly packed: boolean;
}

/** Whether the records of the rows hold many each. */
function holdsManyRows(batch: pl.DataFrame): boolean {
  const { height } = batch;
  if (height < 1024 || !batch.columns.includes("_offset")) return false;
  const offsets = batch.getColumn("_offset");
  const [first, last] = [offsets.get(0), offsets.get(height - 1)];
  return first !== null && last !== null && height >= MANY_ROWS * (Math.abs(Number(last) - Number(first)) + 1);
}

const WINDOW = pl.col("§window");
const TIMES = ["§window_start", "§window_end"].map((name) => pl.col(name).cast(pl.Datetime("ms")));
