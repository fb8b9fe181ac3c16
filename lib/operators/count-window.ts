import pl from "nodejs-polars";
import { dtypeOf, emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import type { CountPlan } from "./count-plan.ts";
import { beside, columns, nullInt, perKey, renamed } from "./exprs.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { integers, numbers } from "./row-clocks.ts";
import { spread } from "./spread.ts";

/**
 * Windows of rows, per key, in the order in which they come.
 * State: per key how many rows it had, and the partial aggregates of its open windows; where an aggregate needs them their rows, as lists.
 * A batch: rows are counted on, and each goes to the windows that contain its number. A window is given in the place of the row that fills
 * it, with that row's watermark: what comes after judges it as it would that row.
 */
export class CountWindow implements Operator {
  readonly #plan: CountPlan;
  readonly #counts: KeyedStore;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #none: pl.DataFrame;

  constructor(plan: CountPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#counts = openStore(plan.counts);
    this.#store = openStore(plan.store);
    this.#exprs = exprsOf(plan);
    this.#none = emptyFrame(plan.schema);
  }

  async process(batch: pl.DataFrame, _context: BatchContext): Promise<pl.DataFrame> {
    const along = ALONG.filter((name) => batch.columns.includes(name));
    const exprs = this.#exprs;
    if (batch.height === 0) return this.#given(this.#none.head(0), along);
    const { windows, counts } = await this.#windows(batch, along);
    await this.#counts.upsert(counts);
    const full = windows.filter(exprs.full);
    const open = windows.filter(exprs.full.not());
    if (full.height > 0) await this.#store.remove(full.select(...exprs.identityStored));
    if (open.height > 0) await this.#store.upsert(open.select(...exprs.toState));
    return this.#given(this.#plan.node.emit === "close" ? full : windows, along);
  }

  async open(upstream: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const { windows } = await this.#windows(upstream, []);
    const held = (await this.#store.all()).select(...exprs.fromState);
    const others = held.join(windows, { on: exprs.identity, how: "anti", nullsEqual: true } as never);
    const all = pl.concat([others.select(...exprs.order), windows.select(...exprs.order)]);
    return this.#given(all.sort(exprs.sort).withColumns(NO_ROW), []);
  }

  /** The windows that rows of this batch fall into, as they are then, with the number of their last row in the batch; and the new counts. */
  async #windows(
    batch: pl.DataFrame,
    along: readonly string[],
  ): Promise<{ windows: pl.DataFrame; counts: pl.DataFrame }> {
    const exprs = this.#exprs;
    const rows = batch.select(...exprs.prepare, ...columns(along)).withColumns(ROW);
    const distinct = rows.lazy().groupBy(exprs.countKeys).agg(pl.len().cast(pl.Int64).alias("§more")).collectSync();
    const before = (await this.#counts.lookup(distinct.select(...exprs.countKeysStored))).select(...exprs.fromCounts);
    const on = { on: exprs.countKeyNames, how: "left", nullsEqual: true } as const;
    const counted = (distinct.join(before, on) as pl.DataFrame).withColumns(BEFORE);
    const counts = counted
      .withColumns(pl.col("§before").plus(pl.col("§more")).alias("§count"))
      .select(...exprs.toCounts);
    const numbered = (rows.join(counted.select(...exprs.bases), on) as pl.DataFrame).withColumns(exprs.number);
    const { newest, oldest, overlapping } = this.#ranges(numbers(numbered.select(PLACE), "§place"));
    const placed = beside(numbered, pl.DataFrame([integers("§newest", newest), integers("§oldest", oldest)])).lazy();
    const parts = spread(placed.filter(TAKEN), overlapping)
      .groupBy(exprs.byWindow)
      .agg(...exprs.parts, ...columns(along).map((column) => column.last()))
      .collectSync();
    const held = (await this.#store.lookup(parts.select(...exprs.identityStored))).select(...exprs.fromState);
    const merged =
      held.height === 0
        ? parts.select(...exprs.order)
        : pl
            .concat([held.select(...exprs.order), parts.select(...exprs.order)])
            .lazy()
            .groupBy(exprs.byWindow)
            .agg(...exprs.merge)
            .collectSync();
    const places = parts.select(...columns([...exprs.identity, "§row", ...along]));
    const windows = merged.join(places, { on: exprs.identity, how: "left", nullsEqual: true } as never) as pl.DataFrame;
    return { windows, counts };
  }

  /** Which windows take rows of these numbers. */
  #ranges(places: Float64Array): { newest: Float64Array; oldest: Float64Array; overlapping: number } {
    const { every, period } = this.#plan.node;
    return {
      newest: places.map((place) => Math.floor(place / every)),
      oldest: places.map((place) => Math.max(0, Math.floor((place - period) / every) + 1)),
      overlapping: Math.ceil(period / every),
    };
  }

  #given(windows: pl.DataFrame, along: readonly string[]): pl.DataFrame {
    const exprs = this.#exprs;
    if (windows.height === 0) return along.length === 0 ? this.#none : this.#none.withColumns(...along.map(nullInt));
    return this.#plan.lists
      .evaluate(windows, exprs.identity)
      .lazy()
      .withColumns(...exprs.results)
      .withColumns(exprs.time)
      .sort(exprs.givenOrder)
      .select(...exprs.outputs, ...columns(along))
      .collectSync();
  }
}

/** What a row brings along that its place in the reading decides. */
const ALONG = ["_watermark", "_sequence", "_order"];
const ROW = pl.intRange(0, pl.len()).cast(pl.Int64).alias("§row");
const NO_ROW = pl.lit(0).cast(pl.Int64).alias("§row");
const BEFORE = pl.col("§count").fillNull(pl.lit(0)).cast(pl.Int64).alias("§before");
const PLACE = pl.col("§place").cast(pl.Float64);
const TAKEN = pl.col("§oldest").ltEq(pl.col("§newest"));
/** Built once. */
function exprsOf(plan: CountPlan) {
  const { aggregates, lists, storedKeys, node } = plan;
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const countKeys = keys.length === 0 ? ["§all"] : keys;
  const identity = [...keys, "§window"];
  const stored = [...storedKeys, "window_index"];
  const partials = [...aggregates.partials, ...lists.partials];
  const names = partials.map(({ name }) => name);
  const labels = partials.map(({ label }) => label);
  const [start, end] = ["§window_start", "§window_end"];
  const own = ["_rows", "_key", "_partition"];
  const time = pl.col("_time").cast(pl.Datetime("ms"));
  const past = pl.lit(1).cast(pl.Int64);
  return {
    identity,
    countKeyNames: countKeys,
    countKeys: columns(countKeys),
    countKeysStored: renamed(countKeys, plan.counts.key),
    fromCounts: renamed([...plan.counts.key, "_count"], [...countKeys, "§count"]),
    toCounts: renamed([...countKeys, "§count"], [...plan.counts.key, "_count"]),
    bases: columns([...countKeys, "§before"]),
    prepare: [
      ...plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      ...(keys.length === 0
        ? [pl.col("_partition").isNull().cast(pl.Int64).multiplyBy(pl.lit(0)).cast(pl.Int64).alias("§all")]
        : []),
      ...columns([...new Set([...aggregates.inputs, "_key", "_partition", "_time"])]),
    ],
    number: pl
      .col("§before")
      .plus(perKey(pl.col("§row").isNotNull().cast(pl.Int64).cumSum(), countKeys))
      .minus(past)
      .alias("§place"),
    byWindow: columns(identity),
    parts: [
      time.min().alias(start),
      time.max().cast(pl.Int64).plus(past).cast(pl.Datetime("ms")).alias(end),
      ...partials.map(({ partial }) => partial),
      pl.len().cast(pl.Int64).alias("_rows"),
      pl.col("_key").first(),
      pl.col("_partition").first(),
      pl.col("§row").last(),
    ],
    merge: [
      pl.col(start).min(),
      pl.col(end).max(),
      ...aggregates.partials.map(({ name, label, merge }) =>
        merge.cast(dtypeOf(plan.store.schema[label]!)).alias(name),
      ),
      ...lists.partials.map(({ merge }) => merge),
      pl.col("_rows").sum(),
      pl.col("_key").first(),
      pl.col("_partition").first(),
    ],
    order: columns([...identity, start, end, ...names, ...own]),
    identityStored: renamed(identity, stored),
    toState: [
      ...renamed([...identity, start, end], [...stored, "window_start", "window_end"]),
      ...renamed(names, labels),
      ...columns(own),
    ],
    fromState: [
      ...renamed([...stored, "window_start", "window_end"], [...identity, start, end]),
      ...renamed(labels, names),
      ...columns(own),
    ],
    full: pl.col("_rows").gtEq(pl.lit(node.period)),
    results: aggregates.results as pl.Expr[],
    time: pl.col(end).cast(pl.Int64).minus(past).cast(pl.Datetime("ms")).alias("_time"),
    sort: columns([...keys, "§window"]),
    givenOrder: columns(["§row", ...keys, "§window"]),
    outputs: [
      ...renamed([...identity, start, end], [...plan.keys, "window_index", "window_start", "window_end"]),
      ...aggregates.outputs,
      ...columns(["_key", "_time", "_partition"]),
    ],
  };
}
