import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";
import type { KeyedStore } from "../state/store.ts";
import { beside, columns, perKey, renamed } from "./exprs.ts";
import { keyCodes } from "./key-codes.ts";
import type { BatchContext, Operator } from "./operator.ts";
import type { RollingPlan } from "./rolling-plan.ts";
import { clocks } from "./row-clocks.ts";
import { NEVER_LATE } from "./window-exprs.ts";

/**
 * For each row the rows of its key around it in event time.
 * State: every row that waits or may still be in the window of another one.
 * A batch: rows that are older than the watermark before them (less the grace) are late; the others are kept. At the watermark: rows whose windows it
 * has passed are given, in the order of event time, as Polars' own rolling groups over the rows of their keys.
 */
export class RollingWindow implements Operator {
  readonly #plan: RollingPlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #none: pl.DataFrame;
  #late = 0;
  #withoutTime = 0;

  constructor(plan: RollingPlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#exprs = exprsOf(plan);
    this.#none = emptyFrame(plan.released);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const reached = context.watermark - this.#plan.delay - this.#plan.node.grace;
    // a window is passed when the watermark is beyond its end
    const limit = Number.isNaN(reached) ? Number.NEGATIVE_INFINITY : reached - 1;
    if (batch.height === 0 && !(((await this.#store.min("release")) ?? Number.POSITIVE_INFINITY) <= limit))
      return this.#none;
    const exprs = this.#exprs;
    const rows = await this.#rows(batch);
    const waiting = (await this.#store.takeUpTo("release", limit)).select(...exprs.fromState);
    const due = pl.lit(limit);
    const released = pl.concat([waiting, rows.filter(exprs.release.ltEq(due))]);
    const later = rows.filter(exprs.release.gt(due));
    const given = await this.#given(released, later);
    // what has been given waits no more, but may be in the windows of others
    const kept = pl.concat([released.withColumns(NO_RELEASE), later]).filter(exprs.needed.gt(due));
    if (kept.height > 0) await this.#store.upsert(kept.select(...exprs.toState));
    await this.#store.takeUpTo("needed", limit);
    return given;
  }

  async open(upstream: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const rows = await this.#rows(upstream);
    const held = (await this.#store.all()).select(...exprs.fromState);
    const waiting = held.filter(exprs.release.isNotNull());
    return this.#given(pl.concat([waiting, rows]), rows.head(0), held.filter(exprs.release.isNull()));
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late, withoutTime: this.#withoutTime };
  }

  /** The rows that are not late, numbered on per key. */
  async #rows(batch: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const { times, watermarks } = clocks(batch, this.#plan.node.indexColumn);
    const { grace } = this.#plan.node;
    const taken = new Float64Array(times.length);
    for (let i = 0; i < times.length; i++) {
      if (Number.isNaN(times[i]!)) this.#withoutTime++;
      else if (times[i]! < watermarks[i]! - grace) this.#late++;
      else taken[i] = 1;
    }
    const rows = beside(batch.select(...exprs.prepare), pl.DataFrame([pl.Series("§taken", taken as never, pl.Float64)]))
      .filter(TAKEN)
      .withColumns(...exprs.times);
    const held = await this.#held(rows);
    const last = held.groupBy(exprs.lastBy).agg(pl.col("§row").max().alias("§last"));
    const joined = rows.join(last, { on: exprs.lastBy, how: "left", nullsEqual: true } as never) as pl.DataFrame;
    return joined.withColumns(exprs.row).select(...exprs.order);
  }

  /** The rows kept for the keys of these. */
  async #held(rows: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    if (this.#plan.keys.length === 0) return (await this.#store.all()).select(...exprs.fromState).withColumns(ALL);
    const { distinct } = keyCodes(rows, exprs.keyNames);
    const held = await this.#store.scan(distinct.select(...exprs.keysStored));
    return held.select(...exprs.fromState);
  }

  /** The results of rows, over these themselves, those that came later, and those kept from before. */
  async #given(released: pl.DataFrame, later: pl.DataFrame, before?: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    if (released.height === 0) return this.#none;
    const { distinct } = keyCodes(released, exprs.keyNames);
    const held = before ?? (await this.#held(released));
    const all = pl.concat([held.select(...exprs.order), released, later]);
    const coded =
      this.#plan.keys.length === 0
        ? all.withColumns(NO_CODE)
        : (all.join(distinct, { on: exprs.keyNames, how: "inner", nullsEqual: true }) as pl.DataFrame);
    const { period, offset, closed } = this.#plan.node;
    const windows = coded
      .withColumns(INDEX)
      .sort(PLACES)
      .lazy()
      .groupByRolling({
        indexColumn: "§index",
        by: "§code",
        period: `${period}ms`,
        offset: `${offset}ms`,
        closed,
      } as never)
      .agg(...exprs.aggregates)
      .collectSync();
    // a window depends on key and time only
    const results = windows.unique({ subset: ["§code", "§index"], keep: "first" } as never);
    const own =
      this.#plan.keys.length === 0
        ? released.withColumns(NO_CODE)
        : (released.join(distinct, exprs.onKeys) as pl.DataFrame);
    return (own.withColumns(INDEX).join(results, { on: ["§code", "§index"], how: "left" }) as pl.DataFrame)
      .lazy()
      .sort(exprs.sort)
      .select(...exprs.outputs)
      .collectSync();
  }
}

const TAKEN = pl.col("§taken").gt(pl.lit(0));
const ALL = pl.lit(0).cast(pl.Float64).alias("§all");
const NO_CODE = pl.lit(0).cast(pl.Float64).alias("§code");
const NO_RELEASE = pl
  .lit(null as unknown as number)
  .cast(pl.Int64)
  .alias("§release");
const INDEX = pl.col("§at").cast(pl.Datetime("ms")).alias("§index");
const PLACES = columns(["§code", "§at", "§row"]);

/** Built once. */
function exprsOf(plan: RollingPlan) {
  const { node, aggregates, storedKeys } = plan;
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const metadata = Object.keys(plan.released).filter((name) =>
    ["_key", "_time", "_partition", "_offset"].includes(name),
  );
  const own = ["§row", "§at", "§release", "§needed"];
  const stored = ["_row", "time", "release", "needed"];
  const lastBy = keys.length === 0 ? ["§all"] : keys;
  const int = (ms: number): pl.Expr => pl.lit(ms).cast(pl.Int64);
  const at = pl.col(node.indexColumn).cast(pl.Datetime("ms")).cast(pl.Int64);
  const index = pl.col("§index").alias(node.indexColumn);
  const order = [...keys, ...own, ...plan.inputs, ...metadata];
  return {
    keyNames: keys,
    keysStored: renamed(keys, storedKeys),
    lastBy,
    onKeys: { on: keys, how: "left", nullsEqual: true } as const,
    prepare: [
      ...plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      ...columns([...plan.inputs, ...metadata]),
      at.alias("§at"),
    ],
    times: [
      pl
        .col("§at")
        // a window that ended before its row waits for the row's own time: earlier rows may still come until then
        .plus(int(Math.max(0, node.offset + node.period)))
        .alias("§release"),
      pl.col("§at").plus(int(plan.reach)).alias("§needed"),
      ...(keys.length === 0 ? [ALL] : []),
    ],
    row: pl
      .col("§last")
      .fillNull(int(-1))
      .plus(perKey(pl.col("§at").isNotNull().cast(pl.Int64).cumSum(), lastBy))
      .cast(pl.Int64)
      .alias("§row"),
    order: columns(order),
    release: pl.col("§release"),
    needed: pl.col("§needed"),
    toState: renamed(order, [...storedKeys, ...stored, ...plan.stored, ...metadata]),
    fromState: renamed([...storedKeys, ...stored, ...plan.stored, ...metadata], order),
    aggregates: aggregates.whole as pl.Expr[],
    sort: columns(["§at", ...keys, "§row"]),
    outputs: [
      ...renamed(keys, plan.keys),
      ...(metadata.includes(node.indexColumn) ? [] : [index]),
      ...columns(Object.keys(aggregates.schema)),
      ...columns(metadata),
      NEVER_LATE,
    ],
  };
}
