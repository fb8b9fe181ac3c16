import pl from "nodejs-polars";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import { columns, perKey, renamed } from "./exprs.ts";
import { clockOf, forget } from "./lives.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";

/** What the operator compares, and for how long it remembers. */
export interface UniquePlan {
  readonly subset: readonly string[];
  readonly storedKeys: readonly string[];
  /** Milliseconds of event time, or undefined for ever. */
  readonly within: number | undefined;
  /** Milliseconds of event time after the last row of a combination, or undefined. */
  readonly ttl?: number;
  /** How far rows lag behind the watermark when they come here, ms. */
  readonly delay: number;
  readonly store: StoreSpec;
}

/**
 * The first row of each combination of values, in offset order.
 * The clock at a row is the largest event time up to and with it. A row is a duplicate while the clock is less than `within` past that
 * of the row last given with its values; the clock never goes back, so neither batches nor late rows change what is given.
 * State: the clock at the row given, per combination. At the watermark: those that are `within` old are forgotten.
 */
export class UniqueRows implements Operator {
  readonly #plan: UniquePlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: UniquePlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#exprs = exprsOf(plan);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { within } = this.#plan;
    if (this.#plan.ttl !== undefined) return this.#firstOfLives(batch, context, this.#plan.ttl);
    const exprs = this.#exprs;
    let given = batch.head(0);
    if (batch.height > 0) {
      const numbered = batch.withColumns(exprs.row);
      const rows = numbered.select(...exprs.prepare);
      const distinct = rows.groupBy(exprs.keyNames).agg(exprs.nothing);
      const held = (await this.#store.lookup(distinct.select(...exprs.stored))).select(...exprs.fromState);
      // each round gives the first row per key that is no duplicate of the one given before
      let open = (rows.join(held, exprs.join) as pl.DataFrame).filter(exprs.isNew);
      const rounds: pl.DataFrame[] = [];
      while (open.height > 0) {
        const first = open.groupBy(exprs.keyNames).agg(...exprs.first);
        rounds.push(first);
        if (within === undefined) break;
        open = (open.select(...exprs.open).join(first.select(...exprs.seen), exprs.join) as pl.DataFrame).filter(
          exprs.isNew,
        );
      }
      if (rounds.length > 0) {
        const all = pl.concat(rounds);
        given = (numbered.join(all.select(...exprs.rows), { on: "§row", how: "semi" }) as pl.DataFrame)
          .sort("§row")
          .drop("§row");
        if (context.commit)
          await this.#store.upsert(
            all
              .groupBy(exprs.keyNames)
              .agg(...exprs.last)
              .select(...exprs.toState),
          );
      }
    }
    if (context.commit && within !== undefined && !Number.isNaN(context.watermark))
      await this.#store.takeUpTo("seen", context.watermark - this.#plan.delay - within);
    return given;
  }

  /** The first row of each life of a combination. */
  async #firstOfLives(batch: pl.DataFrame, context: BatchContext, ttl: number): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    let given = batch.head(0);
    if (batch.height > 0) {
      const rows = batch.select(...exprs.keys, clockOf(batch)).withColumns(ROW);
      const distinct = rows.groupBy(exprs.keyNames).agg(exprs.nothing);
      const held = (await this.#store.lookup(distinct.select(...exprs.stored))).select(...exprs.seeds);
      const gap = perKey(pl.col("§clock").diff(1, "ignore"), exprs.keyNames);
      const all = pl.concat([held.withColumns(NO_ROW), rows]).withColumns(gap.alias("§gap"));
      const first = all.filter(
        ROW_COLUMN.isNotNull().and(
          pl
            .col("§gap")
            .isNull()
            .or(pl.col("§gap").gtEq(pl.lit(ttl))),
        ),
      );
      given = (batch.withColumns(ROW).join(first.select(ROW_COLUMN), { on: "§row", how: "semi" }) as pl.DataFrame)
        .sort("§row")
        .drop("§row");
      if (context.commit)
        await this.#store.upsert(
          rows
            .groupBy(exprs.keyNames)
            .agg(...exprs.last)
            .select(...exprs.toState),
        );
    }
    await forget(this.#store, { ttl, delay: this.#plan.delay }, context);
    return given;
  }
}

const NO_ROW = pl
  .lit(null as unknown as number)
  .cast(pl.Int64)
  .alias("§row");
const ROW = pl.intRange(0, pl.len()).cast(pl.Int64).alias("§row");
const ROW_COLUMN = pl.col("§row");

/** Built once. */
function exprsOf({ subset, storedKeys, within }: UniquePlan) {
  const keys = subset.map((_, i) => `§key_${i}`);
  const time = pl.col("_time").cast(pl.Int64);
  const clock = within === undefined ? time : pl.maxHorizontal([pl.col("_watermark"), time]);
  const never = pl.col("§seen").isNull();
  return {
    keyNames: keys,
    keys: renamed(subset, keys),
    seeds: renamed([...storedKeys, "seen"], [...keys, "§clock"]),
    row: pl.col("_partition").cumCount().alias("§row"),
    nothing: pl.len().alias("§len"),
    prepare: [...renamed(subset, keys), pl.col("§row"), clock.alias("§clock")],
    stored: renamed(keys, storedKeys),
    fromState: renamed([...storedKeys, "seen"], [...keys, "§seen"]),
    join: { on: keys, how: "left", nullsEqual: true } as const,
    isNew: within === undefined ? never : never.or(pl.col("§clock").minus(pl.col("§seen")).gtEq(pl.lit(within))),
    first: [pl.col("§row").first(), pl.col("§clock").first()],
    seen: [...columns(keys), pl.col("§clock").alias("§seen")],
    open: columns([...keys, "§row", "§clock"]),
    rows: columns(["§row"]),
    last: [pl.col("§clock").last()],
    toState: renamed([...keys, "§clock"], [...storedKeys, "seen"]),
  };
}

export function uniqueRows(plan: UniquePlan): OperatorPlan {
  return { stores: [plan.store], open: (openStore: OpenStore) => new UniqueRows(plan, openStore(plan.store)) };
}
