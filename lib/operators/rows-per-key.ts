import pl from "nodejs-polars";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { beside, nullInt, perKey, renamed } from "./exprs.ts";
import { takenAs } from "./held-rows.ts";
import { partsOf, type StagePlan, stageStore } from "./keyed-stage.ts";
import { forget, livesOf, withLives } from "./lives.ts";
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
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #slots: pl.DataFrame;

  constructor(plan: StagePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#exprs = exprsOf(plan);
    const slots = Float64Array.from({ length: plan.stage.rows }, (_, i) => i);
    this.#slots = pl.DataFrame({ slot: slots }).select(pl.col("slot").cast(pl.Int64));
  }

  async process(given: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const { ttl } = this.#plan;
    const { batch, work } = partsOf(this.#plan, given);
    const keys = takenAs(work, this.#plan.keys, this.#plan.storedKeys).unique() as pl.DataFrame;
    const held = await this.#store.lookup(keys.join(this.#slots, { how: "cross" }) as pl.DataFrame);
    const seeds = takenAs(held.sort("sequence"), exprs.stored, exprs.names);
    const rows = seeds.vstack(work.withColumns(NO_SEQUENCE).select(...exprs.names)) as unknown as pl.DataFrame;
    const computed = withLives(rows, exprs.lives).withColumns(...this.#plan.results);
    if (context.commit && batch.height > 0) {
      const kept = computed
        .lazy()
        .withColumns(...exprs.number)
        .filter(exprs.isLast)
        .withColumns(...exprs.slot);
      await this.#store.upsert(kept.select(...exprs.toState).collectSync());
    }
    await forget(this.#store, ttl, context);
    return beside(batch, computed.select(...exprs.made).slice(seeds.height, batch.height));
  }
}

const NO_SEQUENCE = nullInt("§sequence");

/**
 * Built once. The batch's rows are numbered on from the seeds', and the last n of each key are kept. Where keys are forgotten, seeds are kept
 * again with the batch: they live as long as the last row of their key.
 */
function exprsOf(plan: StagePlan) {
  const { keys, stage } = plan;
  const names = [...keys, ...plan.columns.map(({ name }) => name)];
  const stored = [...plan.storedKeys, ...plan.columns.map(({ stored }) => stored)];
  const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
  const ttl = plan.ttl !== undefined;
  const clocks = ttl ? ["§clock"] : [];
  const storedClocks = ttl ? ["clock"] : [];
  const isNew = pl.col("§sequence").isNull();
  const before = perKey(pl.col("§sequence").max(), keys).fillNull(int(-1));
  const within = perKey(isNew.cast(pl.Int64).cumSum(), keys);
  return {
    /** As they are called while the stage runs, and in the state. */
    names: [...names, "§sequence", ...clocks],
    stored: [...stored, "sequence", ...storedClocks],
    lives: plan.ttl === undefined ? [] : livesOf(keys, plan.ttl.ttl),
    number: ttl
      ? [pl.lit(true).alias("§new"), pl.col("§sequence").fillNull(before.plus(within)).alias("§next")]
      : [isNew.alias("§new"), before.plus(within).alias("§next")],
    isLast: pl.col("§new").and(pl.col("§next").gt(perKey(pl.col("§next").max(), keys).minus(int(stage.rows)))),
    slot: [
      pl.col("§next").modulo(int(stage.rows)).alias("§slot"),
      ...(ttl ? [perKey(pl.col("§clock").max(), keys).alias("§seen")] : []),
    ],
    toState: renamed(
      [...names, "§slot", "§next", ...(ttl ? ["§seen", "§clock"] : [])],
      [...stored, "slot", "sequence", ...(ttl ? ["seen", "clock"] : [])],
    ),
    made: stage.calls.map(({ column }) => column),
  };
}

export function rowsPerKey(plan: StagePlan, name: string): OperatorPlan {
  const spec = stageStore(plan, name);
  return { stores: [spec], open: (openStore: OpenStore) => new RowsPerKey(plan, openStore(spec)) };
}
