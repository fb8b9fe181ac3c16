import pl from "nodejs-polars";
import { dtypeOf, emptyFrame } from "../schema.ts";
import type { KeyedStore } from "../state/store.ts";
import { beside, columns, renamed } from "./exprs.ts";
import { keyCodes } from "./key-codes.ts";
import type { BatchContext, Operator } from "./operator.ts";
import { clocks, integers, numbers } from "./row-clocks.ts";
import { assignSessions } from "./session-assignment.ts";
import type { SessionPlan } from "./session-plan.ts";
import { NEVER_LATE } from "./window-exprs.ts";

/**
 * Sessions of event time, per key: rows less than a gap apart, and those that bring two sessions together.
 * State: per key and open session its partial aggregates, and where an aggregate needs them its rows, as lists.
 * A batch: each row joins an open session of its key or begins one, row by row; partial aggregates merge by session, by the places of
 * their first and last rows where the order matters. At the watermark: sessions whose end and grace it has reached are given.
 */
export class SessionWindow implements Operator {
  readonly #plan: SessionPlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #none: pl.DataFrame;
  #late = 0;
  #withoutTime = 0;

  constructor(plan: SessionPlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#exprs = exprsOf(plan);
    this.#none = emptyFrame(plan.released);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const reached = context.watermark - this.#plan.delay - this.#plan.node.grace;
    const limit = Number.isNaN(reached) ? Number.NEGATIVE_INFINITY : reached;
    if (batch.height === 0 && !(((await this.#store.min("window_end")) ?? Number.POSITIVE_INFINITY) <= limit))
      return this.#none;
    const { touched, vanished } = await this.#sessions(batch);
    if (vanished.height > 0) await this.#store.remove(vanished.select(...exprs.identityStored));
    if (touched.height > 0) await this.#store.upsert(touched.select(...exprs.toState));
    const closed = (await this.#store.takeUpTo("window_end", limit)).select(...exprs.fromState);
    if (this.#plan.node.emit === "close") return this.#results(closed);
    return pl.concat([this.#retractions(vanished), this.#results(touched)]);
  }

  async open(upstream: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const { touched, vanished } = await this.#sessions(upstream);
    const changed = pl.concat([touched.select(...exprs.identityColumns), vanished.select(...exprs.identityColumns)]);
    const held = (await this.#store.all()).select(...exprs.fromState);
    const others = held.join(changed, { on: exprs.identity, how: "anti", nullsEqual: true } as never);
    return this.#results(pl.concat([others.select(...exprs.order), touched.select(...exprs.order)]));
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late, withoutTime: this.#withoutTime };
  }

  /** The sessions that rows have joined or begun, as they are then; and those that were known and are no longer there under their start. */
  async #sessions(batch: pl.DataFrame): Promise<{ touched: pl.DataFrame; vanished: pl.DataFrame }> {
    const exprs = this.#exprs;
    const { times, watermarks } = clocks(batch, this.#plan.node.indexColumn);
    const rows = batch.select(...exprs.prepare);
    const { codes, distinct } = keyCodes(rows, exprs.keyNames);
    const held = await this.#held(distinct);
    const known = {
      keys: numbers(held.select(CODE), "§code"),
      start: numbers(held.select(exprs.start), "§window_start"),
      end: numbers(held.select(exprs.end), "§window_end"),
    };
    const { sessions, session, late, withoutTime } = assignSessions(known, codes, times, watermarks, this.#plan.node);
    this.#late += late;
    this.#withoutTime += withoutTime;
    const placed = beside(rows, pl.DataFrame([pl.Series("§session", session as never, pl.Int32)])) //
      .withColumns(ROW);
    // places go on from those of the key's open sessions
    const bases = held.select(CODE_COLUMN, LAST).groupBy("§code").agg(LAST.max().alias("§base"));
    const numbered = (
      beside(placed, pl.DataFrame([pl.Series("§code", codes as never, pl.Float64)])).join(bases, {
        on: "§code",
        how: "left",
      }) as pl.DataFrame
    )
      .filter(IN_SESSION)
      .withColumns(PLACE);
    const parts = numbered
      .lazy()
      .groupBy("§session")
      .agg(...exprs.parts)
      .collectSync();
    const roots = Float64Array.from(known.keys, (_, i) => sessions.taken[i]!);
    const owned =
      held.height === 0
        ? undefined
        : beside(held, pl.DataFrame([pl.Series("§session", Int32Array.from(roots) as never, pl.Int32)]));
    const joined =
      owned === undefined
        ? parts.select(...exprs.partOrder)
        : pl.concat([
            (owned.join(parts.select(SESSION), { on: "§session", how: "semi" }) as pl.DataFrame).select(
              ...exprs.partOrder,
            ),
            parts.select(...exprs.partOrder),
          ]);
    const merged = joined
      .lazy()
      .groupBy("§session")
      .agg(...exprs.merge)
      .collectSync();
    const ids = numbers(merged.select(SESSION.cast(pl.Float64)), "§session");
    const touched = beside(
      merged.select(...exprs.mergedOrder),
      pl
        .DataFrame([
          integers(
            "§window_start",
            ids.map((id) => sessions.start[id]!),
          ),
          integers(
            "§window_end",
            ids.map((id) => sessions.end[id]!),
          ),
        ])
        .select(...TIMES),
    );
    const moved = roots.map((root, i) => (root !== i || sessions.start[root] !== known.start[i] ? 1 : 0));
    const vanished =
      held.height === 0
        ? held
        : beside(held, pl.DataFrame([pl.Series("§moved", moved as never, pl.Float64)])).filter(MOVED);
    return { touched, vanished };
  }

  /** The open sessions of these keys, with the keys' numbers. */
  async #held(distinct: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const held =
      this.#plan.keys.length === 0
        ? await this.#store.all()
        : await this.#store.scan(distinct.select(...exprs.keysStored));
    const known = held.select(...exprs.fromState);
    if (this.#plan.keys.length === 0) return known.withColumns(ONE_KEY);
    return known.join(distinct, { on: exprs.keyNames, how: "left", nullsEqual: true }) as pl.DataFrame;
  }

  #results(sessions: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    if (sessions.height === 0) return this.#none;
    return this.#plan.lists
      .evaluate(sessions, exprs.identity)
      .lazy()
      .withColumns(...exprs.results)
      .withColumns(exprs.time)
      .sort(exprs.sort, false, false, true)
      .select(...exprs.outputs)
      .collectSync();
  }

  /** What was given before and is no longer so: key and start, all else null. */
  #retractions(vanished: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    if (vanished.height === 0) return this.#none;
    return vanished.sort(exprs.sort).select(...exprs.retraction);
  }
}

const SESSION = pl.col("§session");
const CODE_COLUMN = pl.col("§code");
const CODE = CODE_COLUMN.cast(pl.Float64);
const ONE_KEY = pl.lit(0).cast(pl.Float64).alias("§code");
const LAST = pl.col("_last");
const ROW = pl.intRange(0, pl.len()).cast(pl.Int64).alias("§row");
const PLACE = pl
  .col("§row")
  .plus(pl.col("§base").fillNull(pl.lit(-1)))
  .plus(pl.lit(1))
  .cast(pl.Int64)
  .alias("§place");
const IN_SESSION = SESSION.gtEq(pl.lit(0));
const MOVED = pl.col("§moved").gt(pl.lit(0));
const TIMES = ["§window_start", "§window_end"].map((name) => pl.col(name).cast(pl.Datetime("ms")));

/** Built once. */
function exprsOf(plan: SessionPlan) {
  const { aggregates, lists, storedKeys } = plan;
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const identity = [...keys, "§window_start"];
  const stored = [...storedKeys, "window_start", "window_end"];
  const partials = [...aggregates.partials, ...lists.partials];
  const names = partials.map(({ name }) => name);
  const labels = partials.map(({ label }) => label);
  const own = ["_rows", "_first", "_last", "_key", "_partition"];
  const firstOf = (name: string): pl.Expr => pl.col(name).sortBy(pl.col("§first")).first();
  const merges = aggregates.partials.map(({ name, label, merge, anyOrder }) =>
    (anyOrder === undefined || anyOrder === "rows" ? merge : anyOrder)
      .cast(dtypeOf(plan.store.schema[label]!))
      .alias(name),
  );
  const dtype = (name: string): pl.DataType => dtypeOf(plan.released[name]!);
  const nothing = pl.lit(null as unknown as string);
  return {
    keyNames: keys,
    identity,
    identityColumns: columns(identity),
    keysStored: renamed(keys, storedKeys),
    prepare: [
      ...plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      ...columns([...new Set([...aggregates.inputs, "_key", "_partition"])]),
      pl.col("_partition").cast(pl.Int32).alias("§none"),
    ],
    start: pl.col("§window_start").cast(pl.Int64).cast(pl.Float64),
    end: pl.col("§window_end").cast(pl.Int64).cast(pl.Float64),
    parts: [
      ...columns([...keys, "_key", "_partition"]).map((column) => column.first()),
      ...partials.map(({ partial }) => partial),
      pl.len().cast(pl.Int64).alias("_rows"),
      pl.col("§place").first().alias("_first"),
      pl.col("§place").last().alias("_last"),
    ],
    partOrder: [
      ...columns(["§session", ...keys, ...names, ...own]),
      pl.col("_first").alias("§first"),
      pl.col("_last").alias("§last"),
    ],
    merge: [
      ...columns(keys).map((column) => column.first()),
      ...merges,
      ...lists.partials.map(({ merge }) => merge),
      pl.col("_rows").sum(),
      pl.col("_first").min(),
      pl.col("_last").max(),
      firstOf("_key"),
      firstOf("_partition"),
    ],
    mergedOrder: columns([...keys, ...names, ...own]),
    order: columns([...identity, "§window_end", ...names, ...own]),
    identityStored: renamed(identity, stored.slice(0, -1)),
    toState: [...renamed([...identity, "§window_end"], stored), ...renamed(names, labels), ...columns(own)],
    fromState: [...renamed(stored, [...identity, "§window_end"]), ...renamed(labels, names), ...columns(own)],
    results: aggregates.results as pl.Expr[],
    time: pl.col("§window_end").cast(pl.Int64).minus(pl.lit(1).cast(pl.Int64)).cast(pl.Datetime("ms")).alias("_time"),
    sort: columns(["§window_end", "§window_start", ...keys]),
    outputs: [
      ...renamed([...identity, "§window_end"], [...plan.keys, "window_start", "window_end"]),
      ...aggregates.outputs,
      ...columns(["_key", "_time", "_partition"]),
      NEVER_LATE,
    ],
    retraction: Object.keys(plan.released).map((name) => {
      const i = [...plan.keys, "window_start"].indexOf(name);
      if (i >= 0) return pl.col(identity[i]!).alias(name);
      if (name === "_key" || name === "_partition") return pl.col(name);
      if (name === "_time") return pl.col("§window_start").alias("_time");
      return nothing.cast(dtype(name)).alias(name);
    }),
  };
}
