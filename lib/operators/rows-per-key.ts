import pl from "nodejs-polars";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { beside, perKey, renamed, type StagePlan, stageStore } from "./keyed-stage.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";

/**
 * Look-back by several rows, per key.
 * State: the last n rows per key, each in the slot `sequence % n`, so that a new row replaces the one that is no longer needed.
 * A batch: the rows kept for its keys are put before it, Polars evaluates, they are cut off again, and the batch's own last n
 * rows of each key go to their slots.
 */
export class RowsPerKey implements Operator {
  readonly #plan: StagePlan;
  readonly #store: KeyedStore;
  readonly #slots: pl.DataFrame;
  readonly #columns: string[];
  readonly #stored: string[];

  constructor(plan: StagePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#slots = pl
      .DataFrame({ slot: Array.from({ length: plan.stage.rows }, (_, i) => i) })
      .select(pl.col("slot").cast(pl.Int64));
    this.#columns = [...plan.keys, ...plan.columns.map((column) => column.name)];
    this.#stored = [...plan.storedKeys, ...plan.columns.map((column) => column.stored)];
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { keys, storedKeys, prepare, results, stage } = this.#plan;
    const work = batch.select(...prepare, pl.lit(null).cast(pl.Int64).alias("__sequence"));
    const distinct = work.select(...renamed(keys, storedKeys)).unique();
    const held = await this.#store.lookup(distinct.join(this.#slots, { how: "cross" }));
    const seeds = held
      .sort("sequence")
      .select(...renamed([...this.#stored, "sequence"], [...this.#columns, "__sequence"]));
    const computed = pl.concat([seeds, work]).withColumns(...results);
    if (context.commit && batch.height > 0) await this.#keep(computed);
    const made = computed.select(...stage.calls.map((call) => call.column));
    return beside(batch, made.slice(seeds.height, batch.height));
  }

  /** Numbers the batch's rows on from the seeds' and stores the last n of each key. */
  async #keep(computed: pl.DataFrame): Promise<void> {
    const { keys, stage } = this.#plan;
    const isNew = pl.col("__sequence").isNull();
    const before = perKey(pl.col("__sequence").max(), keys).fillNull(pl.lit(-1));
    const within = perKey(isNew.cast(pl.Int64).cumSum(), keys);
    const kept = computed
      .withColumns(isNew.alias("__new"), before.plus(within).cast(pl.Int64).alias("__next"))
      .filter(pl.col("__new").and(pl.col("__next").gt(perKey(pl.col("__next").max(), keys).minus(pl.lit(stage.rows)))))
      .withColumns(pl.col("__next").modulo(pl.lit(stage.rows)).cast(pl.Int64).alias("__slot"));
    await this.#store.upsert(
      kept.select(...renamed([...this.#columns, "__slot", "__next"], [...this.#stored, "slot", "sequence"])),
    );
  }
}

export function rowsPerKey(plan: StagePlan, name: string): OperatorPlan {
  const spec = stageStore(plan, name);
  return { stores: [spec], open: (openStore: OpenStore) => new RowsPerKey(plan, openStore(spec)) };
}
