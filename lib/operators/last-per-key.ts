import pl from "nodejs-polars";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { beside, renamed, type StagePlan, stageStore } from "./keyed-stage.ts";
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
  readonly #columns: string[];
  readonly #stored: string[];

  constructor(plan: StagePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#columns = [...plan.keys, ...plan.columns.map((column) => column.name)];
    this.#stored = [...plan.storedKeys, ...plan.columns.map((column) => column.stored)];
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { keys, storedKeys, prepare, columns, results } = this.#plan;
    const work = batch.select(...prepare);
    const distinct = work.select(...renamed(keys, storedKeys)).unique();
    const seeds = (await this.#store.lookup(distinct)).select(...renamed(this.#stored, this.#columns));
    const computed = pl.concat([seeds, work]).withColumns(...results);
    if (context.commit && batch.height > 0) {
      const kept = computed.groupBy([...keys]).agg(...columns.map((column) => column.kept.alias(column.name)));
      await this.#store.upsert(kept.select(...renamed(this.#columns, this.#stored)));
    }
    const made = computed.select(...this.#plan.stage.calls.map((call) => call.column));
    return beside(batch, made.slice(seeds.height, batch.height));
  }
}

export function lastPerKey(plan: StagePlan, name: string): OperatorPlan {
  const spec = stageStore(plan, name);
  return { stores: [spec], open: (openStore: OpenStore) => new LastPerKey(plan, openStore(spec)) };
}
