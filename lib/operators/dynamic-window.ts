import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { renamed } from "./keyed-stage.ts";
import type { BatchContext, Operator } from "./operator.ts";
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
  /** Names while the operator works differ from those of the input's columns, which aggregates may use. */
  readonly #keys: string[];
  /** What identifies a window. */
  readonly #identity: string[];
  /** Keys, start and end under their names in the state. */
  readonly #stored: string[];
  #late = 0;
  #withoutTime = 0;

  constructor(plan: WindowPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#store = openStore(plan.store);
    this.#rowStore = plan.rowStore && openStore(plan.rowStore);
    this.#keys = plan.keys.map((_, i) => `__key_${i}`);
    this.#identity = [...this.#keys, "__window_start"];
    this.#stored = [...plan.keys, "window_start", "window_end"];
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { node, partials } = this.#plan;
    const rows = this.#intoWindows(batch);
    const parts = rows
      .groupBy(this.#identity)
      .agg(
        pl.col("__window_end").first(),
        ...partials.map(({ partial }) => partial),
        pl.len().cast(pl.Int64).alias("_rows"),
        pl.col("_key").first(),
        pl.col("_partition").first(),
      );
    const bound = context.watermark - node.grace;
    const closes = pl.col("__window_end").cast(pl.Int64).ltEq(pl.lit(bound));
    const any = !Number.isNaN(bound);
    const taken = any ? this.#fromState(await this.#store.takeUpTo("window_end", bound)) : undefined;
    const closing = any ? parts.filter(closes) : parts.head(0);
    const staying = any ? parts.filter(closes.not()) : parts;
    const held = this.#fromState(
      await this.#store.lookup(staying.select(...renamed(this.#identity, this.#stored.slice(0, -1)))),
    );
    const open = this.#merge(held, staying);
    await this.#store.upsert(this.#toState(open));
    const closed = this.#merge(taken, closing);

    const keptRows = this.#rowStore && (await this.#keepRows(rows, held, taken, bound));
    if (node.emit === "update") {
      const changed = pl.concat([closed.join(closing, { on: this.#identity, how: "semi", nullsEqual: true }), open]);
      return this.#results(changed, keptRows && pl.concat([keptRows, await this.#rowsOf(open)]));
    }
    return this.#results(closed, keptRows);
  }

  async open(): Promise<pl.DataFrame> {
    const open = this.#fromState(await this.#store.all());
    return this.#results(open, this.#rowStore && this.#fromRowState(await this.#rowStore.all()));
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late, withoutTime: this.#withoutTime };
  }

  /** The batch's rows with `window_start` and `window_end`, once per window that takes them. */
  #intoWindows(batch: pl.DataFrame): pl.DataFrame {
    const { node, keyExprs } = this.#plan;
    const { every, period, offset, grace } = node;
    const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
    const time = pl.col("__time");
    // the remainder of a time before the epoch is made positive, so that its window starts before it too
    const into = time.minus(int(offset)).modulo(int(every)).plus(int(every)).modulo(int(every));
    let rows = batch
      .lazy()
      .withColumns(
        ...keyExprs.map((expr, i) => expr.alias(this.#keys[i]!)),
        pl.col(node.indexColumn).cast(pl.Datetime("ms")).cast(pl.Int64).alias("__time"),
      )
      .withColumns(time.minus(into).alias("__start"));
    const overlapping = Math.ceil(period / every);
    if (overlapping > 1) {
      const starts = Array.from({ length: overlapping }, (_, i) =>
        pl.col("__start").minus(int((overlapping - 1 - i) * every)),
      );
      rows = rows.withColumns(pl.concatList(starts).alias("__start")).explode("__start");
    }
    rows = rows.withColumns(pl.col("__start").plus(int(period)).alias("__end"));
    const inside = period === every ? pl.col("__time").isNotNull() : pl.col("__end").gt(time);
    const late = pl.col("__end").plus(int(grace)).ltEq(pl.col("_watermark")).fillNull(pl.lit(false));
    const placed = rows.withColumns(late.alias("__late")).collectSync();
    const counted = placed
      .select(
        pl.col("__late").and(inside).sum().cast(pl.Float64).alias("late"),
        pl.col("__time").nullCount().cast(pl.Float64).alias("without"),
      )
      .row(0) as [number, number];
    this.#late += counted[0];
    this.#withoutTime += counted[1] / overlapping;
    return placed
      .filter(pl.col("__late").not().and(inside))
      .withColumns(
        pl.col("__start").cast(pl.Datetime("ms")).alias("__window_start"),
        pl.col("__end").cast(pl.Datetime("ms")).alias("__window_end"),
      );
  }

  /** One row per window from earlier parts and later ones. */
  #merge(earlier: pl.DataFrame | undefined, later: pl.DataFrame): pl.DataFrame {
    if (earlier === undefined || earlier.height === 0) return later;
    if (later.height === 0) return earlier;
    const { partials } = this.#plan;
    const dtypes = new Map(later.columns.map((name, i) => [name, later.dtypes[i]!]));
    return pl
      .concat([earlier.select(...later.columns), later])
      .groupBy(this.#identity)
      .agg(
        pl.col("__window_end").first(),
        ...partials.map(({ name, merge }) => merge.cast(dtypes.get(name)!).alias(name)),
        pl.col("_rows").sum(),
        pl.col("_key").first(),
        pl.col("_partition").first(),
      );
  }

  /**
   * Keeps the rows of windows that stay open, and gives those of windows that close.
   * A row's number in its window goes on from the number of rows the window had.
   */
  async #keepRows(
    rows: pl.DataFrame,
    held: pl.DataFrame,
    taken: pl.DataFrame | undefined,
    bound: number,
  ): Promise<pl.DataFrame> {
    const before = [held, ...(taken === undefined ? [] : [taken])].map((part) =>
      part.select(...this.#identity, pl.col("_rows").alias("__before")),
    );
    const columns = this.#plan.collected!.columns;
    const index = pl.col("__window_end").isNotNull().cast(pl.Int64).cumSum();
    const [first, ...rest] = this.#identity;
    const numbered = rows
      .select(...this.#identity, "__window_end", ...columns)
      .withColumns(index.over(first!, ...rest).alias("__index"))
      .join(pl.concat(before), { on: this.#identity, how: "left", nullsEqual: true })
      .withColumns(pl.col("__before").fillNull(pl.lit(0)).plus(pl.col("__index")).cast(pl.Int64).alias("__row"));
    const closes = pl
      .col("__window_end")
      .cast(pl.Int64)
      .ltEq(pl.lit(Number.isNaN(bound) ? Number.NEGATIVE_INFINITY : bound));
    const names = ["__row", ...this.#identity, "__window_end", ...columns];
    const old = Number.isNaN(bound)
      ? undefined
      : this.#fromRowState(await this.#rowStore!.takeUpTo("window_end", bound));
    await this.#rowStore!.upsert(this.#toRowState(numbered.filter(closes.not())));
    const now = numbered.filter(closes).select(...names);
    return old === undefined ? now : pl.concat([old.select(...names), now]);
  }

  async #rowsOf(open: pl.DataFrame): Promise<pl.DataFrame> {
    const all = this.#fromRowState(await this.#rowStore!.all());
    return all.join(open.select(...this.#identity), { on: this.#identity, how: "semi", nullsEqual: true });
  }

  /** The rows of these windows, by start and then key. */
  #results(windows: pl.DataFrame, rows: pl.DataFrame | undefined): pl.DataFrame {
    const { results, outputs, schema, collected } = this.#plan;
    if (windows.height === 0) return emptyFrame(schema);
    let complete = windows.withColumns(...(results as pl.Expr[]));
    if (collected !== undefined && rows !== undefined) {
      const values = rows
        .sort("__row")
        .groupBy(this.#identity)
        .agg(...collected.aggregates);
      complete = complete.join(values, { on: this.#identity, how: "left", nullsEqual: true });
    }
    return complete
      .withColumns(
        pl.col("__window_end").cast(pl.Int64).minus(pl.lit(1).cast(pl.Int64)).cast(pl.Datetime("ms")).alias("_time"),
      )
      .sort({ by: ["__window_start", ...this.#keys], maintainOrder: true } as any)
      .select(...renamed([...this.#identity, "__window_end"], this.#stored), ...outputs, "_key", "_time", "_partition");
  }

  #toState(windows: pl.DataFrame): pl.DataFrame {
    const { partials, store } = this.#plan;
    return windows
      .select(
        ...renamed([...this.#identity, "__window_end"], this.#stored),
        ...renamed(
          partials.map(({ name }) => name),
          partials.map(({ label }) => label),
        ),
        "_rows",
        "_key",
        "_partition",
      )
      .select(...Object.keys(store.schema));
  }

  #fromState(windows: pl.DataFrame): pl.DataFrame {
    const { partials } = this.#plan;
    return windows.select(
      ...renamed(this.#stored, [...this.#identity, "__window_end"]),
      ...renamed(
        partials.map(({ label }) => label),
        partials.map(({ name }) => name),
      ),
      "_rows",
      "_key",
      "_partition",
    );
  }

  #toRowState(rows: pl.DataFrame): pl.DataFrame {
    const columns = this.#plan.collected!.columns;
    return rows.select(
      ...renamed([...this.#identity, "__window_end"], this.#stored),
      pl.col("__row").alias("_row"),
      ...renamed(
        columns,
        columns.map((_, i) => `value_${i}`),
      ),
    );
  }

  #fromRowState(rows: pl.DataFrame): pl.DataFrame {
    const columns = this.#plan.collected!.columns;
    return rows.select(
      ...renamed(this.#stored, [...this.#identity, "__window_end"]),
      pl.col("_row").alias("__row"),
      ...renamed(
        columns.map((_, i) => `value_${i}`),
        columns,
      ),
    );
  }
}
