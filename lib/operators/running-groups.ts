import pl from "nodejs-polars";
import { dtypeOf, emptyFrame } from "../schema.ts";
import type { KeyedStore, OpenStore } from "../state/store.ts";
import { DistinctValues } from "./distinct-values.ts";
import { columns, renamed } from "./exprs.ts";
import type { GroupPlan } from "./group-plan.ts";
import type { BatchContext, Operator } from "./operator.ts";

/**
 * Aggregates per key over everything so far.
 * State: partial aggregates, one row per key; where an aggregate needs them, the different values of each key too.
 * A batch: its partial aggregates merge into those of its keys, and the new row of each of them is given, in the order of the keys'
 * last rows. At the watermark: nothing.
 */
export class RunningGroups implements Operator {
  readonly #store: KeyedStore;
  readonly #distinct: readonly DistinctValues[];
  readonly #exprs: ReturnType<typeof exprsOf>;
  readonly #none: pl.DataFrame;

  constructor(plan: GroupPlan, openStore: OpenStore) {
    this.#store = openStore(plan.store);
    this.#distinct = plan.distinct.map((distinct) => new DistinctValues(distinct, openStore));
    this.#exprs = exprsOf(plan);
    this.#none = emptyFrame(plan.schema);
  }

  async process(batch: pl.DataFrame, context: BatchContext): Promise<pl.DataFrame> {
    if (batch.height === 0) return this.#none;
    const exprs = this.#exprs;
    const rows = batch.select(...exprs.prepare);
    let parts = rows
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.parts)
      .collectSync();
    for (const distinct of this.#distinct) {
      const values = rows.lazy().groupBy(exprs.by).agg(distinct.values).collectSync();
      const fresh = await distinct.fresh(distinct.spread(values));
      if (context.commit) await distinct.remember(fresh);
      parts = distinct.add(parts, fresh);
    }
    const held = (await this.#store.lookup(parts.select(...exprs.keysStored))).select(...exprs.fromState);
    // the earlier part of a key first; its place and metadata are those of the batch
    const merged = pl
      .concat([held, parts.select(...exprs.values)])
      .lazy()
      .groupBy(exprs.by)
      .agg(...exprs.merge)
      .collectSync();
    if (context.commit) await this.#store.upsert(merged.select(...exprs.toState));
    const placed = parts.select(...exprs.places).join(merged, { on: exprs.keyNames, how: "left", nullsEqual: true });
    return (placed as pl.DataFrame)
      .lazy()
      .sort("§row")
      .withColumns(...exprs.results)
      .select(...exprs.outputs)
      .collectSync();
  }
}

/** Built once. While the operator works, its own columns have names that differ from those of the input, which aggregates may use. */
function exprsOf(plan: GroupPlan) {
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const names = plan.aggregates.partials.map(({ name }) => name);
  const labels = plan.aggregates.partials.map(({ label }) => label);
  const metadata = ["_key", "_time", "_partition"];
  return {
    keyNames: keys,
    by: columns(keys),
    prepare: [
      ...plan.keyExprs.map((expr, i) => expr.alias(keys[i]!)),
      ...columns([...new Set([...plan.aggregates.inputs, ...metadata])]),
      pl.col("_partition").cumCount().alias("§row"),
    ],
    parts: [
      ...plan.aggregates.partials.map(({ partial }) => partial),
      pl.col("§row").last(),
      ...metadata.map((name) => pl.col(name).last().alias(`§${name}`)),
    ],
    keysStored: renamed(keys, plan.storedKeys),
    fromState: renamed([...plan.storedKeys, ...labels], [...keys, ...names]),
    values: columns([...keys, ...names]),
    merge: plan.aggregates.partials.map(({ name, label, merge }) =>
      merge.cast(dtypeOf(plan.store.schema[label]!)).alias(name),
    ),
    toState: renamed([...keys, ...names], [...plan.storedKeys, ...labels]),
    places: columns([...keys, "§row", ...metadata.map((name) => `§${name}`)]),
    results: plan.aggregates.results as pl.Expr[],
    outputs: [
      ...renamed(keys, plan.keys),
      ...plan.aggregates.outputs,
      ...renamed(
        metadata.map((name) => `§${name}`),
        metadata,
      ),
    ],
  };
}
