import pl from "nodejs-polars";
import type { LateNode } from "../plan/nodes/late-node.ts";
import type { Schema } from "../schema.ts";
import type { KeyedStore, StoreSpec } from "../state/store.ts";
import { groupingKeys } from "./aggregate-plan.ts";
import type { Compiled } from "./compile.ts";
import { renamed, unique } from "./exprs.ts";
import { keyCodes } from "./key-codes.ts";
import { withMissed } from "./missed-windows.ts";
import type { BatchContext, Operator, OperatorPlan } from "./operator.ts";
import { clocks, integers, numbers } from "./row-clocks.ts";
import { assignSessions } from "./session-assignment.ts";

interface LateSessionsPlan {
  readonly node: LateNode;
  readonly gap: number;
  readonly keyExprs: readonly pl.Expr[];
  readonly delay: number;
  readonly store: StoreSpec;
}

/** The rows that no session took: found by the same way through the rows as the sessions themselves. */
export function lateSessionsPlan(
  node: LateNode,
  { gap, by: keys }: NonNullable<LateNode["session"]>,
  input: Compiled,
  storeName: (name: string) => string,
): OperatorPlan {
  const by = groupingKeys(keys, input, "late");
  const stored = unique(by.names, ["start", "end"]);
  const schema: Schema = {
    ...Object.fromEntries(stored.map((name, i) => [name, by.dtypes[i]!])),
    start: "Int64",
    end: "Int64",
  };
  const store = { name: storeName(`late_sessions_by_${by.names.join("_")}`), key: [...stored, "start"], schema };
  const plan = { node, gap, keyExprs: by.exprs, delay: input.delay, store };
  return { stores: [store], open: (openStore) => new LateSessions(plan, openStore(store)) };
}

/** State: start and end of open sessions, per key. */
class LateSessions implements Operator {
  readonly #plan: LateSessionsPlan;
  readonly #store: KeyedStore;
  readonly #stored: readonly string[];
  readonly #keys: readonly string[];
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: LateSessionsPlan, store: KeyedStore) {
    this.#plan = plan;
    this.#store = store;
    this.#stored = plan.store.key.slice(0, -1);
    this.#keys = this.#stored.map((_, i) => `§key_${i}`);
    this.#exprs = exprsOf(plan, this.#keys, this.#stored);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    const { node, gap, delay } = this.#plan;
    const { times, watermarks } = clocks(batch, node.indexColumn);
    const { codes, distinct } = keyCodes(batch.select(...this.#exprs.keys, pl.col("_partition")), this.#keys);
    const held = await this.#held(distinct);
    const known = {
      keys: numbers(held, "§code"),
      start: numbers(held.select(START), "start"),
      end: numbers(held.select(END), "end"),
    };
    const { sessions, session } = assignSessions(known, codes, times, watermarks, { gap, grace: node.grace });
    if (context.commit) await this.#keep(known.keys, codes, session, sessions, held, distinct);
    if (context.commit && !Number.isNaN(context.watermark))
      await this.#store.takeUpTo("end", context.watermark - delay - node.grace);
    const rows = [...session.keys()].filter((i) => session[i]! < 0 && !Number.isNaN(times[i]!));
    return withMissed(batch, { rows, starts: rows.map((i) => times[i]!) });
  }

  async #held(distinct: pl.DataFrame): Promise<pl.DataFrame> {
    if (this.#keys.length === 0)
      return (await this.#store.all()).withColumns(pl.lit(0).cast(pl.Float64).alias("§code"));
    const stored = distinct.select(...this.#exprs.toStored, pl.col("§code"));
    const held = await this.#store.scan(stored.select(...this.#stored));
    return held.join(stored, { on: [...this.#stored], how: "left", nullsEqual: true }) as pl.DataFrame;
  }

  async #keep(
    knownKeys: Float64Array,
    codes: Float64Array,
    session: Int32Array,
    { start, end, taken }: { start: number[]; end: number[]; taken: number[] },
    held: pl.DataFrame,
    distinct: pl.DataFrame,
  ): Promise<void> {
    if (held.height > 0) await this.#store.remove(held.select(...this.#plan.store.key));
    const keyOf = new Map<number, number>();
    for (let i = 0; i < knownKeys.length; i++) keyOf.set(i, knownKeys[i]!);
    for (let i = 0; i < session.length; i++) if (session[i]! >= 0) keyOf.set(session[i]!, codes[i]!);
    const ids = [...keyOf.keys()].filter((id) => taken[id] === id);
    if (ids.length === 0) return;
    const rows = pl.DataFrame([
      pl.Series("§code", Float64Array.from(ids, (id) => keyOf.get(id)!) as never, pl.Float64),
      integers(
        "start",
        Float64Array.from(ids, (id) => start[id]!),
      ),
      integers(
        "end",
        Float64Array.from(ids, (id) => end[id]!),
      ),
    ]);
    const keyed =
      this.#keys.length === 0
        ? rows
        : (rows.join(distinct.select(...this.#exprs.toStored, pl.col("§code")), {
            on: "§code",
            how: "left",
          }) as pl.DataFrame);
    await this.#store.upsert(keyed.select(...Object.keys(this.#plan.store.schema)));
  }
}

const START = pl.col("start").cast(pl.Float64);
const END = pl.col("end").cast(pl.Float64);

function exprsOf(plan: LateSessionsPlan, keys: readonly string[], stored: readonly string[]) {
  return { keys: plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)), toStored: renamed(keys, stored) };
}
