import pl from "nodejs-polars";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import { beside, columns } from "./exprs.ts";
import { asOfExprs } from "./join-as-of-exprs.ts";
import type { JoinedColumn } from "./join-columns.ts";
import { nearestBefore } from "./join-nearest.ts";
import { type Delay, reached } from "./join-order.ts";
import type { BatchContext, JoinOperator, JoinPlan } from "./operator.ts";

/** A left row and the right row nearest to it in time. Columns of event time are Datetime(ms), spans are milliseconds. */
export interface AsOfPlan {
  readonly leftKeys: readonly string[];
  readonly rightKeys: readonly string[];
  /** Names of the keys in the state. */
  readonly storedKeys: readonly string[];
  readonly leftTime: string;
  readonly rightTime: string;
  /** The nearest after the left row, instead of before it. */
  readonly forward: boolean;
  /** How far apart they may be. */
  readonly tolerance: number | undefined;
  /** How late a left row may be and still see the rows of its own time. */
  readonly history: number;
  /** How long left rows wait for right rows that come late; undefined where they do not wait for them. */
  readonly grace: number | undefined;
  readonly leftDelay: Delay;
  readonly rightDelay: Delay;
  /** Left rows without a right one are given, with nulls. */
  readonly keepUnmatched: boolean;
  /** Right rows whose `_delete` is true say that there is nothing from their time on. */
  readonly tombstones: boolean;
  /** Right columns by their names in the state, and in the result. */
  readonly values: readonly (JoinedColumn & { readonly stored: string })[];
  /** Columns of the result, in order; those a batch lacks are left out. */
  readonly output: readonly string[];
  /** Right rows: keys, `at`, `until` (the time of the next one of the key; not in a forward join), values, `deleted` where there are tombstones. */
  readonly versions: StoreSpec;
  /** Left rows that wait, only where they do: `row`, `release`, and these columns of theirs. */
  readonly waiting: { readonly store: StoreSpec; readonly columns: readonly JoinedColumn[] } | undefined;
}

/**
 * As-of join, and lookup in a table as it was at a row's time.
 * State: right rows per key, until they are older than any row that may still ask; left rows, where they wait.
 * A batch: the left rows (where they wait: those released now) find the nearest among the right rows read before them; then the right rows are kept.
 * At the watermark: right rows that newer ones replaced longer ago than `history` are dropped.
 */
export class AsOfJoin implements JoinOperator {
  readonly #plan: AsOfPlan;
  readonly #versions: KeyedStore;
  readonly #waiting: KeyedStore | undefined;
  readonly #exprs: ReturnType<typeof asOfExprs>;
  readonly #outputs = new Map<string, pl.Expr[]>();
  #next: number | undefined;
  #late = 0;

  constructor(plan: AsOfPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#versions = openStore(plan.versions);
    this.#waiting = plan.waiting && openStore(plan.waiting.store);
    this.#exprs = asOfExprs(plan);
  }

  async process(left: pl.DataFrame, right: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const asking = this.#waiting === undefined ? left : await this.#released(this.#waiting, left, context);
    const rows = asking.select(...exprs.left);
    const offered = right.select(...exprs.right).filter(exprs.hasKeys);
    const held = await this.#held(rows, offered);
    const result = this.#join(asking, rows, held, offered);
    if (context.commit) {
      this.#late += rows.height - rows.filter(exprs.inTime).height;
      await this.#keep(held, offered, context);
      const bound = this.#bound(context);
      await this.#versions.takeUpTo(this.#plan.forward ? "at" : "until", this.#plan.forward ? bound - 1 : bound);
    }
    return result;
  }

  counts(): Readonly<Record<string, number>> {
    return { late: this.#late };
  }

  /** The left rows that have waited long enough, in the order of their release; the others are put aside. Where rows are only looked at, all. */
  async #released(store: KeyedStore, left: pl.DataFrame, { watermark, commit }: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    this.#next ??= store.size === 0 ? 0 : Number((await store.all()).getColumn("row").max()) + 1;
    const numbered = left.withColumns(...exprs.release(this.#next)).select(...exprs.toWaiting);
    if (!commit) {
      const all = pl.concat([await store.all(), numbered]);
      return all.sort(exprs.byRelease).select(...exprs.fromWaiting);
    }
    const bound = Number.isNaN(watermark) ? Number.NEGATIVE_INFINITY : reached(watermark);
    const taken = await store.takeUpTo("release", bound);
    const due = exprs.due(bound);
    await store.upsert(numbered.filter(due.not()));
    this.#next += left.height;
    return pl
      .concat([taken, numbered.filter(due)])
      .sort(exprs.byRelease)
      .select(...exprs.fromWaiting);
  }

  /** Right rows in the state that matter to these ones: of their keys, and not replaced before their time. */
  async #held(rows: pl.DataFrame, offered: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const all = pl.concat([rows.filter(exprs.inTime).select(...exprs.asks), offered.select(...exprs.asks)]);
    const none = this.#versions.size === 0 || all.height === 0;
    const distinct = all
      .groupBy(exprs.keyNames)
      .agg(exprs.nothing)
      .select(...exprs.storedKeys);
    const earliest = none ? 0 : Number(all.getColumn("§at").min());
    const above = this.#plan.forward ? { column: "at", bound: earliest - 1 } : { column: "until", bound: earliest };
    const held = await this.#versions.scan(none ? distinct.head(0) : distinct, above);
    return held.select(...exprs.fromState);
  }

  #join(left: pl.DataFrame, rows: pl.DataFrame, held: pl.DataFrame, offered: pl.DataFrame): pl.DataFrame {
    const exprs = this.#exprs;
    const candidates = pl
      .concat([held.select(...exprs.candidate), offered.select(...exprs.candidate)])
      .withColumns(exprs.read)
      .sort(exprs.byNearness)
      .withColumns(exprs.rank);
    const found = nearestBefore(rows, candidates, exprs.keyNames);
    const matched = beside(rows.select(...exprs.asked), found.select(exprs.foundRank))
      .join(candidates.select(...exprs.given), exprs.byRank)
      .sort("§row")
      .select(...exprs.results) as pl.DataFrame;
    const result = beside(left, matched);
    return this.#inOrder(this.#plan.keepUnmatched ? result : result.filter(exprs.isMatch));
  }

  /** The result's columns in their order; expressions are built once per set of columns. */
  #inOrder(frame: pl.DataFrame): pl.DataFrame {
    const present = frame.columns;
    const signature = present.join();
    let exprs = this.#outputs.get(signature);
    if (exprs === undefined) {
      exprs = columns(this.#plan.output.filter((name) => present.includes(name)));
      this.#outputs.set(signature, exprs);
    }
    return frame.select(...exprs);
  }

  /** Keeps the right rows of the batch, and notes by which row each is replaced. */
  async #keep(held: pl.DataFrame, offered: pl.DataFrame, context: BatchContext): Promise<void> {
    if (offered.height === 0) return;
    const exprs = this.#exprs;
    const all = pl.concat([held.select(...exprs.version), offered.select(...exprs.version)]);
    const kept = all.groupBy(exprs.identity).agg(...exprs.ofEqualTimes);
    const changed = this.#plan.forward
      ? kept.filter(exprs.isNew)
      : kept
          .sort("§at")
          .withColumns(exprs.until)
          .filter(exprs.isChanged(this.#bound(context)));
    await this.#versions.upsert(changed.select(...exprs.toState));
  }

  /** The event time of the oldest left row that may still ask. */
  #bound({ watermark }: BatchContext): number {
    const { history, leftDelay } = this.#plan;
    if (Number.isNaN(watermark)) return Number.NEGATIVE_INFINITY;
    return watermark - history - Math.max(waitOf(this.#plan) ?? 0, leftDelay === undefined ? 0 : leftDelay + 1);
  }
}

/** How long left rows wait after their time, in ms of the clock; undefined where they do not. */
export function waitOf(
  plan: Pick<AsOfPlan, "forward" | "tolerance" | "grace" | "leftDelay" | "rightDelay">,
): number | undefined {
  const { forward, tolerance, grace, leftDelay, rightDelay } = plan;
  const behind = rightDelay === undefined ? 0 : rightDelay + 1;
  if (forward) return tolerance! + behind + (grace ?? 0);
  if (grace !== undefined) return behind + grace;
  return behind > (leftDelay === undefined ? 0 : leftDelay + 1) ? behind : undefined;
}

export function asOfJoin(plan: AsOfPlan): JoinPlan {
  const stores = plan.waiting === undefined ? [plan.versions] : [plan.versions, plan.waiting.store];
  return { stores, open: (openStore) => new AsOfJoin(plan, openStore) };
}
