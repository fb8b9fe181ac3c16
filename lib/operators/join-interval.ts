import pl from "nodejs-polars";
import type { JoinHow } from "../plan/join-how.ts";
import type { DTypeName } from "../schema.ts";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import type { JoinedColumn } from "./join-columns.ts";
import { intervalExprs, type SideExprs } from "./join-interval-exprs.ts";
import { type Delay, reached } from "./join-order.ts";
import type { BatchContext, JoinOperator, JoinPlan } from "./operator.ts";

/** One side of an interval join. */
export interface IntervalSide {
  readonly keys: readonly string[];
  readonly delay: Delay;
  /** The other side's rows match from `before` ms before a row of this side to `after` ms after it. */
  readonly before: number;
  readonly after: number;
  /** Rows without a partner are given. */
  readonly keepUnmatched: boolean;
  /** Whether it matters which rows had a partner. */
  readonly tracks: boolean;
  /** The columns that are kept: value columns in use, and those that travel. */
  readonly columns: readonly (JoinedColumn & { readonly stored: string })[];
  /** Rows that may still find partners: keys, `row` (their number), `at` (event time, ms), `past` (the position after which no partner comes), columns. */
  readonly store: StoreSpec;
}

/** Rows of two sides with equal keys whose event times are near each other. */
export interface IntervalPlan {
  readonly how: JoinHow;
  readonly left: IntervalSide;
  readonly right: IntervalSide;
  readonly storedKeys: readonly string[];
  readonly grace: number;
  /** A full join gives each of these keys, of the result, once: from the left column, else from the right one. */
  readonly coalesced: readonly { readonly left: string; readonly right: string; readonly to: string }[];
  /** The metadata that the result has. */
  readonly metadata: readonly string[];
  /** The result's value columns by side, in order. */
  readonly values: readonly (JoinedColumn & { readonly side: "left" | "right"; readonly dtype: DTypeName })[];
}

/**
 * Interval join of two streams.
 * State: the rows of both sides for which partners may still come, with whether they had one.
 * A batch: its rows meet those of the other side, in the state and in the batch, as soon as the later of two is read.
 * At the watermark: rows for which no partner comes any more are dropped; where the join keeps rows without a partner, those are given.
 */
export class IntervalJoin implements JoinOperator {
  readonly #plan: IntervalPlan;
  readonly #exprs: ReturnType<typeof intervalExprs>;
  readonly #left: Side;
  readonly #right: Side;
  #late = 0;

  constructor(plan: IntervalPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#exprs = intervalExprs(plan);
    this.#left = new Side(plan.left, this.#exprs.left, openStore);
    this.#right = new Side(plan.right, this.#exprs.right, openStore);
  }

  async process(left: pl.DataFrame, right: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const sides = [this.#left, this.#right] as const;
    const rows = [await this.#left.number(left), await this.#right.number(right)] as const;
    const held = [await this.#left.held(rows[1], exprs), await this.#right.held(rows[0], exprs)] as const;
    const pairs = pl.concat([
      this.#pairs(rows[0], pl.concat([held[1], rows[1].select(...exprs.right.names)])),
      this.#pairs(held[0], rows[1].select(...exprs.right.names)),
    ]);
    if (context.commit) this.#late += rows[0].filter(exprs.left.late).height + rows[1].filter(exprs.right.late).height;
    const parts = exprs.givesPairs ? [pairs.select(...exprs.pair)] : [];
    for (const [i, side] of sides.entries()) {
      const { lonely, first } = await side.keep(rows[i]!, held[i]!, pairs, context);
      if (exprs.givesUnmatched[i]) parts.push(lonely.select(...exprs.unmatched[i]!));
      if (i === 0 && this.#plan.how === "semi") parts.push(this.#firstPartners(pairs, first));
    }
    if (parts.length === 1 && parts[0]!.height === 0) return parts[0]!.select(...exprs.output);
    return pl
      .concat(parts)
      .sort(exprs.order)
      .select(...exprs.output);
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late };
  }

  /** Rows with equal keys, near each other, the later of which came before the other was given up. */
  #pairs(left: pl.DataFrame, right: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    const buckets = exprs.buckets.map((bucket) => left.select(...exprs.left.columns, bucket));
    return pl
      .concat(buckets)
      .lazy()
      .join(right.lazy().select(...exprs.right.columns, exprs.rightBucket), exprs.byKeys as never)
      .filter(exprs.near)
      .withColumns(exprs.rightLater)
      .filter(exprs.inTime)
      .withColumns(...exprs.later)
      .collectSync() as pl.DataFrame;
  }

  /** Left rows that found their first partner now, at the first of those. */
  #firstPartners(pairs: pl.DataFrame, first: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    const now = pairs.join(first, { on: "§left_row", how: "semi" }) as pl.DataFrame;
    return now
      .sort(exprs.order)
      .unique({ subset: ["§left_row"], keep: "first", maintainOrder: true })
      .select(...exprs.pair);
  }
}

/** The rows of one side. */
class Side {
  readonly #plan: IntervalSide;
  readonly #exprs: SideExprs;
  readonly #store: KeyedStore;
  #next: number | undefined;

  constructor(plan: IntervalSide, exprs: SideExprs, openStore: OpenStore) {
    this.#plan = plan;
    this.#exprs = exprs;
    this.#store = openStore(plan.store);
  }

  /** The batch's rows, under the join's own names, numbered on from those before. */
  async number(batch: pl.DataFrame): Promise<pl.DataFrame> {
    const store = this.#store;
    this.#next ??= store.size === 0 ? 0 : Number((await store.all()).getColumn("row").max()) + 1;
    return batch.select(...this.#exprs.prepare).withColumns(this.#exprs.row(this.#next));
  }

  /** The rows held whose keys are those of the other side's rows, and that are not too old for them. */
  async held(others: pl.DataFrame, exprs: ReturnType<typeof intervalExprs>): Promise<pl.DataFrame> {
    const distinct = others
      .groupBy(exprs.keyNames)
      .agg(exprs.nothing)
      .select(...exprs.toStoredKeys);
    const other = this.#exprs.other;
    const none = others.height === 0 || this.#store.size === 0;
    const earliest = none ? 0 : Number(others.getColumn(`${other}_at`).min());
    const bound = earliest - this.#plan.after - 1;
    const held = await this.#store.scan(none ? distinct.head(0) : distinct, { column: "at", bound });
    return held.select(...this.#exprs.fromState);
  }

  /**
   * Keeps rows for which partners may come, and gives up the others.
   * @returns the rows given up that had no partner, and the numbers of those that had their first one now
   */
  async keep(
    rows: pl.DataFrame,
    held: pl.DataFrame,
    pairs: pl.DataFrame,
    { watermark, commit }: BatchContext,
  ): Promise<{ lonely: pl.DataFrame; first: pl.DataFrame }> {
    const exprs = this.#exprs;
    const bound = Number.isNaN(watermark) ? Number.NEGATIVE_INFINITY : reached(watermark);
    if (!this.#plan.tracks) {
      if (!commit) return { first: rows.head(0), lonely: rows.head(0) };
      this.#next! += rows.height;
      await this.#store.upsert(rows.filter(exprs.open(bound)).select(...exprs.toState));
      await this.#store.takeUpTo("past", bound);
      return { first: rows.head(0), lonely: rows.head(0) };
    }
    const met = pairs.select(exprs.rowName).unique();
    const on = { on: exprs.rowName, how: "semi" } as const;
    const now = held.filter(exprs.unmatched).join(met, on) as pl.DataFrame;
    const found = rows.join(met, on) as pl.DataFrame;
    const first = pl.concat([now, found]).select(exprs.rowName);
    const alone = rows.join(met, { on: exprs.rowName, how: "anti" }) as pl.DataFrame;
    if (!commit) {
      const all = (await this.#store.all()).select(...exprs.fromState);
      const open = all.filter(exprs.unmatched).join(met, { on: exprs.rowName, how: "anti" }) as pl.DataFrame;
      return { first, lonely: pl.concat([open, alone]) };
    }
    this.#next! += rows.height;
    const open = exprs.open(bound);
    const changed = pl.concat([alone, ...[found, now].map((frame) => frame.withColumns(exprs.matched))]);
    await this.#store.upsert(changed.filter(open).select(...exprs.toState));
    const given = (await this.#store.takeUpTo("past", bound)).select(...exprs.fromState).filter(exprs.unmatched);
    const forgotten = now.height === 0 ? given : (given.join(met, { on: exprs.rowName, how: "anti" }) as pl.DataFrame);
    return { first, lonely: pl.concat([forgotten, alone.filter(open.not())]) };
  }
}

export function intervalJoin(plan: IntervalPlan): JoinPlan {
  return { stores: [plan.left.store, plan.right.store], open: (openStore) => new IntervalJoin(plan, openStore) };
}
