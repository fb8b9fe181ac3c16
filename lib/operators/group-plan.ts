import type pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { GroupByNode } from "../plan/nodes/group-by-node.ts";
import { print } from "../plan/print.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys, groupUses } from "./aggregate-plan.ts";
import type { Compiled } from "./compile.ts";
import { type DistinctPlan, distinctPlan } from "./distinct-values.ts";
import { unique } from "./exprs.ts";
import { groupedLineage } from "./lineage.ts";
import type { Ttl } from "./lives.ts";
import { RunningGroups } from "./running-groups.ts";
import { GROUP_METADATA } from "./window-plan.ts";

/** Running groups with everything known that does not depend on rows. */
export interface GroupPlan {
  readonly keys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  readonly aggregates: AggregatePlan;
  readonly schema: Schema;
  readonly store: StoreSpec;
  readonly distinct: readonly DistinctPlan[];
  /** When a key is forgotten; undefined for never. */
  readonly ttl: Ttl | undefined;
}

/** @throws Refusal for keys and aggregates that have no exact meaning, and for those that would keep every row for ever */
export function groupPlan(
  node: GroupByNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> & { watermark: boolean } {
  const by = groupingKeys(node.by, input, "groupBy");
  const storedKeys = unique(by.names, ["_value", "seen"]);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: by.names,
    taken: [...storedKeys, "seen"],
    inOrder: true,
    distinct: true,
  });
  if (aggregates.rows !== undefined) {
    const [kept] = aggregates.rows.trees.map(print);
    throw new Refusal({
      code: "UNBOUNDED_ROWS",
      what: `${kept} over everything so far would keep every row of a key for ever`,
      where: "agg",
      remedies: [
        `a window: groupByDynamic({ indexColumn: …, every: "1h", by: ${by.trees.map(print).join(", ")} }).agg(${kept})`,
        "an aggregate that keeps one value: sum, count, min, max, mean, var, std, first, last",
      ],
    });
  }
  if (node.ttl !== undefined && aggregates.distinct.length > 0)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "nUnique in groups that are forgotten is not built: each of its values would have to be forgotten with them",
      where: "groupBy",
      remedies: ["leave ttl out", "count them per window: groupByDynamic({ … }).agg(…nUnique())"],
    });
  const keySchema = Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!]));
  const schema = {
    ...Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!])),
    ...aggregates.schema,
    ...GROUP_METADATA,
  };
  const name = storeName(`groups_by_${by.names.join("_")}`);
  const identity = by.names.map((_, i) => `§key_${i}`);
  const plan: GroupPlan = {
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    aggregates,
    schema,
    store: {
      name,
      key: storedKeys,
      schema: { ...keySchema, ...aggregates.state, ...(node.ttl !== undefined && { seen: "Int64" }) },
    },
    ttl: node.ttl === undefined ? undefined : { ttl: node.ttl, delay: input.delay },
    distinct: aggregates.distinct.map((distinct) =>
      distinctPlan(distinct, identity, keySchema, storeName(`${name}_${distinct.label}`)),
    ),
  };
  const stores = [plan.store, ...plan.distinct.map(({ store }) => store)];
  return {
    steps: [{ operator: { stores, open: (openStore) => new RunningGroups(plan, openStore) } }],
    schema,
    watermark: node.ttl !== undefined,
    lineage: groupedLineage(input.lineage, by.names, by.trees),
    used: groupUses([...by.trees, ...node.aggs], aggregates, Object.keys(GROUP_METADATA)),
  };
}
