import pl from "nodejs-polars";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { beside, columns, perKey, renamed } from "./exprs.ts";
import { heldFor } from "./held-rows.ts";
import { partsOf, type StagePlan, stageStore } from "./keyed-stage.ts";
import { forget, LIFE, livesOf, withLives } from "./lives.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";

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
    const held = await heldFor(this.#store, work.lazy().select(...exprs.storedKeys));
    const computed = withLives(pl.concat([held.select(...exprs.fromState), work.lazy()]), exprs.lives)
      .withColumns(...this.#plan.results)
      .collectSync();
    if (context.commit && batch.height > 0) {
      const kept = (ttl === undefined ? computed : computed.filter(exprs.inLastLife))
        .lazy()
        .groupBy(exprs.keys)
        .agg(...exprs.kept)
        .select(...exprs.toState)
        .collectSync();
      await this.#store.upsert(kept);
    }
    await forget(this.#store, ttl, context);
    return beside(batch, computed.select(...exprs.made).slice(computed.height - batch.height, batch.height));
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
    storedKeys: renamed(plan.keys, plan.storedKeys),
    fromState: renamed(stored, names),
    toState: renamed(names, stored),
    kept,
    lives: plan.ttl === undefined ? [] : livesOf(plan.keys, plan.ttl.ttl),
    inLastLife: pl.col(LIFE).eq(perKey(pl.col(LIFE).max(), plan.keys)),
    made: plan.stage.calls.map(({ column }) => column),
  };
}

export function lastPerKey(plan: StagePlan, name: string): OperatorPlan {
  const spec = stageStore(plan, name);
  return { stores: [spec], open: (openStore: OpenStore) => new LastPerKey(plan, openStore(spec)) };
}
