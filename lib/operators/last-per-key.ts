import pl from "nodejs-polars";
import type { KeyedStore } from "../state/store.ts";
import { beside, columns, perKey } from "./exprs.ts";
import { heldFor, takenAs } from "./held-rows.ts";
import { partsOf, type StagePlan } from "./keyed-stage.ts";
import { forget, LIFE, livesOf, withLives } from "./lives.ts";
import type { BatchContext, Operator } from "./operator.ts";

/**
 * Look-back by one row and accumulation, per key.
 * State: one row per key: the last values, and the accumulated ones.
 * A batch: the state of its keys is put before it as one seed row per key, Polars evaluates, the seed rows are cut off again, and
 * the last row of each key becomes its state.
 */
export class LastPerKey implements Operator {
  readonly #plan: StagePlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: StagePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#exprs = exprsOf(plan);
  }

  async process(given: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const { ttl } = this.#plan;
    const { batch, work } = partsOf(this.#plan, given);
    const keys = takenAs(work, this.#plan.keys, this.#plan.storedKeys);
    const seeds = takenAs(await heldFor(this.#store, keys), exprs.stored, exprs.names);
    const rows = seeds.vstack(work.select(...exprs.names)) as unknown as pl.DataFrame;
    const computed = withLives(rows, exprs.lives).withColumns(...this.#plan.results);
    if (context.commit && batch.height > 0) {
      const living = ttl === undefined ? computed : computed.filter(exprs.inLastLife);
      await this.#store.upsert(takenAs(this.#last(living), exprs.names, exprs.stored));
    }
    await forget(this.#store, ttl, context);
    return beside(batch, computed.select(...exprs.made).slice(seeds.height, batch.height));
  }

  /** What is kept of each key. */
  #last(rows: pl.DataFrame): pl.DataFrame {
    const { keys, kept } = this.#exprs;
    if (kept === undefined) return rows.unique({ subset: [...this.#plan.keys], keep: "last" }) as pl.DataFrame;
    return rows
      .lazy()
      .groupBy(keys)
      .agg(...kept)
      .collectSync();
  }
}

/** Built once. */
function exprsOf(plan: StagePlan) {
  const names = [...plan.keys, ...plan.columns.map(({ name }) => name)];
  const stored = [...plan.storedKeys, ...plan.columns.map(({ stored }) => stored)];
  const kept = plan.columns.map(({ name, kept }) => kept.alias(name));
  if (plan.ttl !== undefined) {
    names.push("§clock");
    stored.push("seen");
    kept.push(pl.col("§clock").last());
  }
  return {
    keys: columns(plan.keys),
    /** As they are called while the stage runs, and in the state. */
    names,
    stored,
    /** Undefined where it is the last row. */
    kept: plan.stage.calls.every(({ rows }) => rows !== undefined) ? undefined : kept,
    lives: plan.ttl === undefined ? [] : livesOf(plan.keys, plan.ttl.ttl),
    inLastLife: pl.col(LIFE).eq(perKey(pl.col(LIFE).max(), plan.keys)),
    made: plan.stage.calls.map(({ column }) => column),
  };
}
