import pl from "nodejs-polars";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import type { DistinctAggregate } from "./aggregate-plan.ts";
import { columns, renamed } from "./exprs.ts";

/** Where the values of one aggregate are kept: one row per group and value. */
export interface DistinctPlan {
  readonly aggregate: DistinctAggregate;
  /** The columns that name a group while an operator works, and in the state. */
  readonly identity: readonly string[];
  readonly store: StoreSpec;
}

export function distinctPlan(
  aggregate: DistinctAggregate,
  identity: readonly string[],
  group: Readonly<Record<string, string>>,
  name: string,
  times: Readonly<Record<string, string>> = {},
): DistinctPlan {
  return {
    aggregate,
    identity,
    store: {
      name,
      key: [...Object.keys(group), "_value"],
      schema: { ...group, ...times, _value: aggregate.dtype },
    },
  };
}

/** The different values of groups, each kept once, so that their number can go on by adding those that are new. */
export class DistinctValues {
  readonly #plan: DistinctPlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: DistinctPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#store = openStore(plan.store);
    this.#exprs = exprsOf(plan);
  }

  /** As an aggregate over the rows of a group: its different values, a list `§value`. */
  get values(): pl.Expr {
    return this.#plan.aggregate.values;
  }

  /** One row per value, of groups with lists of them. */
  spread(groups: pl.DataFrame): pl.DataFrame {
    return groups.filter(HAS_VALUES).explode("§value");
  }

  /**
   * The values that are not known yet.
   * @param values the identity of a group and `§value`; values may repeat
   */
  async fresh(values: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const distinct = values
      .lazy()
      .groupBy(exprs.each)
      .agg(...this.#times.map((name) => pl.col(name).first()))
      .collectSync();
    const held = await this.#store.lookup(distinct.select(...exprs.toKeys));
    if (held.height === 0) return distinct;
    const known = held.select(...exprs.fromKeys);
    return distinct.join(known, { on: [...this.#plan.identity, "§value"], how: "anti", nullsEqual: true } as never);
  }

  async remember(fresh: pl.DataFrame): Promise<void> {
    if (fresh.height > 0) await this.#store.upsert(fresh.select(...this.#exprs.toState));
  }

  /** Forgets the values of groups whose `column` has reached a bound. */
  async forgetUpTo(column: string, bound: number): Promise<void> {
    await this.#store.takeUpTo(column, bound);
  }

  /** Groups with the number of fresh values added in the aggregate's column. */
  add(groups: pl.DataFrame, fresh: pl.DataFrame): pl.DataFrame {
    const { column } = this.#plan.aggregate;
    const identity = [...this.#plan.identity];
    const counts = fresh.groupBy(identity).agg(pl.len().cast(pl.UInt32).alias("§fresh"));
    const joined = groups.join(counts, { on: identity, how: "left", nullsEqual: true }) as pl.DataFrame;
    return joined
      .withColumns(
        pl
          .col(column)
          .plus(pl.col("§fresh").fillNull(pl.lit(0)))
          .cast(pl.UInt32)
          .alias(column),
      )
      .drop("§fresh");
  }

  get #times(): string[] {
    return timesOf(this.#plan).map((name) => `§${name}`);
  }
}

const HAS_VALUES = pl.col("§value").list.lengths().gt(pl.lit(0));

function timesOf({ store }: DistinctPlan): string[] {
  return Object.keys(store.schema).filter((name) => !store.key.includes(name));
}

function exprsOf(plan: DistinctPlan) {
  const { identity, store } = plan;
  const times = timesOf(plan);
  const own = [...identity, "§value"];
  return {
    each: columns(own),
    toKeys: renamed(own, store.key),
    fromKeys: renamed(store.key, own),
    toState: renamed([...own, ...times.map((name) => `§${name}`)], [...store.key, ...times]),
  };
}
