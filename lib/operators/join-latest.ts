import pl from "nodejs-polars";
import { isMetadata } from "../plan/metadata.ts";
import type { JoinTableNode } from "../plan/nodes/join-table-node.ts";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import { type Compiled, pick } from "./compile.ts";
import { beside, columns, renamed, unique } from "./exprs.ts";
import type { CompiledJoin } from "./join-as-of-plan.ts";
import { TRAVELLING } from "./join-as-of-plan.ts";
import { checkJoinKeys } from "./join-checks.ts";
import { type JoinedColumn, joinedColumns } from "./join-columns.ts";
import { nearestBefore } from "./join-nearest.ts";
import type { BatchContext, JoinOperator } from "./operator.ts";

interface LatestPlan {
  readonly leftKeys: readonly string[];
  readonly rightKeys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly values: readonly (JoinedColumn & { readonly stored: string })[];
  readonly keepUnmatched: boolean;
  readonly output: readonly string[];
  readonly store: StoreSpec;
}

/**
 * Lookup in a table as it was read last.
 * State: the newest row per key. A batch: each left row finds the last table row of its key that was read before it; then the newest are kept.
 */
class LatestJoin implements JoinOperator {
  readonly #plan: LatestPlan;
  readonly #store: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: LatestPlan, openStore: OpenStore) {
    this.#plan = plan;
    this.#store = openStore(plan.store);
    this.#exprs = exprsOf(plan);
  }

  async process(left: pl.DataFrame, right: pl.DataFrame, { commit }: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const rows = left.select(...exprs.left);
    const changes = right.select(...exprs.right).filter(exprs.hasKeys);
    const distinct = rows.groupBy(exprs.keys).agg(exprs.nothing);
    const held = (await this.#store.lookup(distinct.select(...exprs.storedKeys))).select(...exprs.fromState);
    const candidates = pl.concat([held, changes]).sort("§order").withColumns(exprs.rank, exprs.time);
    const found = nearestBefore(rows, candidates, exprs.keys);
    const values = found
      .join(candidates.select(...exprs.given), { on: "§rank", how: "left" })
      .sort("§row")
      .select(...exprs.results) as pl.DataFrame;
    if (commit && changes.height > 0) {
      const last = changes.groupBy(exprs.keys).agg(...exprs.last);
      await this.#store.upsert(last.filter(exprs.stays).select(...exprs.toState));
      await this.#store.remove(last.filter(exprs.stays.not()).select(...exprs.storedKeys));
    }
    const joined = beside(left, values);
    const given = this.#plan.keepUnmatched ? joined : joined.filter(pl.col("§matches"));
    return given.select(...this.#plan.output.filter((name) => given.columns.includes(name)));
  }
}

function exprsOf(plan: LatestPlan) {
  const keys = plan.storedKeys.map((_, i) => `§key_${i}`);
  const values = plan.values.map((_, i) => `§value_${i}`);
  const stored = [...plan.storedKeys, ...plan.values.map((value) => value.stored)];
  const matches = pl.col("§rank").isNotNull().and(pl.col("§deleted").not()).fillNull(pl.lit(false));
  const sequence = pl.col("_sequence");
  // rows that windows released come after what was read with them
  const asked = sequence.fillNull(pl.lit(2 ** 52).cast(pl.Int64));
  return {
    keys,
    nothing: pl.len().alias("§len"),
    left: [
      ...renamed(plan.leftKeys, keys),
      asked.alias("§order"),
      asked.alias("§t"),
      pl.intRange(pl.len()).alias("§row"),
    ],
    right: [
      ...renamed(plan.rightKeys, keys),
      ...renamed(
        plan.values.map(({ from }) => from),
        values,
      ),
      sequence.alias("§order"),
      pl.col("_delete").fillNull(pl.lit(false)).alias("§deleted"),
    ],
    hasKeys: keys.map((key) => pl.col(key).isNotNull()).reduce((all, one) => all.and(one)),
    storedKeys: renamed(keys, plan.storedKeys),
    fromState: [
      ...renamed(stored, [...keys, ...values]),
      pl.lit(-1).cast(pl.Int64).alias("§order"),
      pl.lit(false).alias("§deleted"),
    ],
    rank: pl.intRange(pl.len()).alias("§rank"),
    time: pl.col("§order").alias("§t"),
    given: columns(["§rank", "§deleted", ...values]),
    results: [
      matches.alias("§matches"),
      ...plan.values.map(({ to }, i) => pl.when(matches).then(pl.col(values[i]!)).otherwise(pl.lit(null)).alias(to)),
    ],
    last: [...values, "§deleted"].map((name) => pl.col(name).last()),
    stays: pl.col("§deleted").not(),
    toState: renamed([...keys, ...values], stored),
  };
}

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN` */
export function compileLatest(
  node: JoinTableNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): CompiledJoin {
  const { leftOn, rightOn, how, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, right.schema, "join");
  const values = ({ schema }: Compiled): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const joined = joinedColumns(values(left), values(right), { left: [], right: rightOn }, suffix, "join");
  const names = unique([...rightOn, ...joined.right.map(({ from }) => from)]);
  const storedKeys = names.slice(0, rightOn.length);
  const given = joined.right.map((column, i) => ({ ...column, stored: names[rightOn.length + i]! }));
  const schema = {
    ...pick(left.schema, values(left)),
    ...Object.fromEntries(given.map(({ from, to }) => [to, right.schema[from]!])),
    ...pick(left.schema, Object.keys(left.schema).filter(isMetadata)),
  };
  const plan: LatestPlan = {
    leftKeys: leftOn,
    rightKeys: rightOn,
    storedKeys,
    values: given,
    keepUnmatched: how === "left",
    output: [...Object.keys(schema), "_watermark", "_sequence", "_order"],
    store: {
      name: storeName(`table_by_${leftOn.join("_")}`),
      key: storedKeys,
      schema: {
        ...Object.fromEntries(storedKeys.map((key, i) => [key, right.schema[rightOn[i]!]!])),
        ...Object.fromEntries(given.map(({ from, stored }) => [stored, right.schema[from]!])),
      },
    },
  };
  return {
    steps: [{ join: { stores: [plan.store], open: (openStore) => new LatestJoin(plan, openStore) } }],
    schema,
    lineage: left.lineage,
    delay: left.delay,
    leastDelay: left.leastDelay,
    watermark: true,
    used: (wanted, input) =>
      input === 1
        ? new Set([...rightOn, ...given.map(({ from }) => from), ...Object.keys(TRAVELLING)])
        : new Set([...[...wanted].filter((name) => Object.hasOwn(left.schema, name)), ...leftOn]),
  };
}
