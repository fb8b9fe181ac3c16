import type pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { GroupByNode } from "../plan/nodes/group-by-node.ts";
import { print } from "../plan/print.ts";
import { columnsOf } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys } from "./aggregate-plan.ts";
import type { Compiled } from "./compile.ts";
import { type DistinctPlan, distinctPlan } from "./distinct-values.ts";
import { unique } from "./exprs.ts";
import { groupedLineage } from "./lineage.ts";
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
}

/** @throws Refusal for keys and aggregates that have no exact meaning, and for those that would keep every row for ever */
export function groupPlan(
  node: GroupByNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const by = groupingKeys(node.by, input, "groupBy");
  const storedKeys = unique(by.names, ["_value"]);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: by.names,
    taken: storedKeys,
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
    store: { name, key: storedKeys, schema: { ...keySchema, ...aggregates.state } },
    distinct: aggregates.distinct.map((distinct) =>
      distinctPlan(distinct, identity, keySchema, storeName(`${name}_${distinct.label}`)),
    ),
  };
  const stores = [plan.store, ...plan.distinct.map(({ store }) => store)];
  return {
    steps: [{ operator: { stores, open: (openStore) => new RunningGroups(plan, openStore) } }],
    schema,
    lineage: groupedLineage(input.lineage, by.names, by.trees),
    used: () =>
      new Set([
        ...[...by.trees, ...node.aggs].flatMap(columnsOf),
        ...aggregates.inputs,
        ...Object.keys(GROUP_METADATA),
      ]),
  };
}
