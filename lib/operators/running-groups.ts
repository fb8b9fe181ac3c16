import pl from "nodejs-polars";
import { dtypeOf, emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { DistinctValues } from "./distinct-values.ts";
import { beside, columns, perKey, renamed } from "./exprs.ts";
import type { GroupPlan } from "./group-plan.ts";
import { heldFor, takenAs } from "./held-rows.ts";
import { clockOf, forget, LIFE, livesOf, type Ttl, withLives } from "./lives.ts";
import type { BatchContext, Operator } from "./operator.ts";

/**
 * Aggregates per key over everything so far.
 * State: partial aggregates, one row per key; where an aggregate needs them, the different values of each key too.
 * A batch: its partial aggregates merge into those of its keys, and the new row of each of them is given, in the order of the keys'
 * last rows. At the watermark: nothing.
 */
export class RunningGroups implements Operator {
  readonly #store: KeyedStore;
  readonly #distinct: readonly DistinctValues[];
  readonly #ttl: Ttl | undefined;
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #none: pl.DataFrame;

  constructor(plan: GroupPlan, openStore: OpenStore) {
    this.#store = openStore(plan.store);
    this.#ttl = plan.ttl;
    this.#distinct = plan.distinct.map((distinct) => new DistinctValues(distinct, openStore));
    this.#exprs = exprsOf(plan);
    this.#none = emptyFrame(plan.schema);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    if (batch.height === 0) {
      await forget(this.#store, this.#ttl, context);
      return this.#none;
    }
    const exprs = this.#exprs;
    const rows = await this.#living(batch);
    let parts = rows
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.parts)
      .collectSync();
    for (const distinct of this.#distinct) {
      const values = rows.lazy().groupBy(exprs.by).agg(distinct.values).collectSync();
      const fresh = await distinct.fresh(distinct.spread(values));
      if (context.commit) await distinct.remember(fresh);
      parts = distinct.add(parts, fresh);
    }
    const held = await this.#held(parts, rows);
    // the earlier part of a key first; its place and metadata are those of the batch
    const merged = (held.vstack(parts.select(...exprs.values)) as unknown as pl.DataFrame)
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.merge)
      .collectSync();
    if (context.commit) await this.#store.upsert(takenAs(merged, exprs.values, exprs.stored));
    await forget(this.#store, this.#ttl, context);
    return parts
      .select(...exprs.places)
      .lazy()
      .join(merged.lazy(), { on: exprs.keyNames, how: "left", nullsEqual: true })
      .sort("§row")
      .withColumns(...exprs.results)
      .select(...exprs.outputs)
      .collectSync();
  }

  /** The rows of the batch; where keys are forgotten, those of the last life of each, and whether that is one it had before: `§life` is 0. */
  async #living(batch: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    if (this.#ttl === undefined) return batch.select(...exprs.prepare);
    const rows = batch.select(...exprs.prepare, clockOf(batch));
    const clocks = rows.select(...exprs.clocks);
    const distinct = rows.groupBy(exprs.keyNames).agg(pl.len().alias("§len"));
    const keyed = takenAs(distinct, exprs.keyNames, exprs.keysStored);
    const seeds = (await this.#store.lookup(keyed)).select(...exprs.seen);
    const lives = withLives(pl.concat([seeds, clocks]), exprs.lives).withColumns(exprs.lastLife);
    return beside(rows, lives.select(LIVES[0]!, LIVES[1]!).slice(seeds.height, rows.height)).filter(
      LIVES[0]!.eq(LIVES[1]!),
    );
  }

  /** What is known of the keys that go on. */
  async #held(parts: pl.DataFrame, rows: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const going = this.#ttl === undefined ? parts : rows.filter(LIVES[0]!.eq(pl.lit(0)));
    const held = await heldFor(this.#store, takenAs(going, exprs.keyNames, exprs.keysStored));
    return takenAs(held, exprs.stored, exprs.values);
  }
}

const LIVES = columns([LIFE, "§last_life"]);

/** Built once. While the operator works, its own columns have names that differ from those of the input, which aggregates may use. */
function exprsOf(plan: GroupPlan) {
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const ttl = plan.ttl !== undefined;
  const names = [...plan.aggregates.partials.map(({ name }) => name), ...(ttl ? ["§clock"] : [])];
  const labels = [...plan.aggregates.partials.map(({ label }) => label), ...(ttl ? ["seen"] : [])];
  const metadata = ["_key", "_time", "_partition"];
  return {
    keyNames: keys,
    by: columns(keys),
    prepare: [
      ...plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      ...columns([...new Set([...plan.aggregates.inputs, ...metadata])]),
      pl.col("_partition").cumCount().alias("§row"),
    ],
    parts: [
      ...plan.aggregates.partials.map(({ partial }) => partial),
      pl.col("§row").last(),
      ...(ttl ? [pl.col("§clock").last()] : []),
      ...metadata.map((name) => pl.col(name).last().alias(`§${name}`)),
    ],
    keysStored: plan.storedKeys,
    stored: [...plan.storedKeys, ...labels],
    values: [...keys, ...names],
    merge: [
      ...plan.aggregates.partials.map(({ name, label, merge }) =>
        merge.cast(dtypeOf(plan.store.schema[label]!)).alias(name),
      ),
      ...(ttl ? [pl.col("§clock").last()] : []),
    ],
    clocks: columns([...keys, "§clock"]),
    seen: renamed([...plan.storedKeys, "seen"], [...keys, "§clock"]),
    lives: plan.ttl === undefined ? [] : livesOf(keys, plan.ttl.ttl),
    lastLife: perKey(pl.col(LIFE).max(), keys).alias("§last_life"),
    places: [...keys, "§row", ...metadata.map((name) => `§${name}`)],
    results: plan.aggregates.results as pl.Expr[],
    outputs: [
      ...renamed(keys, plan.keys),
      ...plan.aggregates.outputs,
      ...renamed(
        metadata.map((name) => `§${name}`),
        metadata,
      ),
    ],
  };
}
