import type pl from "nodejs-polars";
import type { GroupByCountNode } from "../plan/nodes/group-by-count-node.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys, groupUses } from "./aggregate-plan.ts";
import type { Compiled } from "./compile.ts";
import { CountWindow } from "./count-window.ts";
import { unique } from "./exprs.ts";
import { type RowLists, rowLists } from "./row-lists.ts";
import { GROUP_METADATA, WINDOW_TIMES, windowLineage } from "./window-plan.ts";

/** Windows of rows with everything known that does not depend on rows. */
export interface CountPlan {
  readonly node: GroupByCountNode;
  readonly keys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  readonly aggregates: AggregatePlan;
  readonly lists: RowLists;
  readonly schema: Schema;
  /** Rows per key so far. */
  readonly counts: StoreSpec;
  readonly store: StoreSpec;
}

const INDEX = "window_index";
const KEPT = [INDEX, "window_start", "window_end", "_rows", "_count", "_places", "_key", "_partition"];

/** @throws Refusal for keys and aggregates that have no exact meaning */
export function countPlan(
  node: GroupByCountNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "used"> {
  const by = groupingKeys(node.by, input, "groupByCount");
  const storedKeys = unique(by.names, KEPT);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: [...by.names, INDEX, ...Object.keys(WINDOW_TIMES)],
    taken: [...storedKeys, ...KEPT],
    inOrder: true,
    distinct: false,
  });
  const lists = rowLists(aggregates.rows);
  const keySchema = Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!]));
  const names = by.names.length === 0 ? "" : `_by_${by.names.join("_")}`;
  const each = node.every === node.period ? "" : `_every_${node.every}`;
  const name = storeName(`window_${node.period}_rows${each}${names}`);
  const plan: CountPlan = {
    node,
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    aggregates,
    lists,
    schema: {
      ...Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!])),
      [INDEX]: "Int64",
      ...WINDOW_TIMES,
      ...aggregates.schema,
      ...GROUP_METADATA,
    },
    // a store has a key: where there is none to count by, the constant 0
    counts: {
      name: storeName(`${name}_counts`),
      key: storedKeys.length === 0 ? ["_all"] : storedKeys,
      schema: { ...(storedKeys.length === 0 ? { _all: "Int64" } : keySchema), _count: "Int64" },
    },
    store: {
      name,
      key: [...storedKeys, INDEX],
      schema: {
        ...keySchema,
        [INDEX]: "Int64",
        ...WINDOW_TIMES,
        ...aggregates.state,
        ...lists.state,
        _rows: "Int64",
        _key: "Utf8",
        _partition: "Int32",
      },
    },
  };
  return {
    steps: [{ operator: { stores: [plan.counts, plan.store], open: (openStore) => new CountWindow(plan, openStore) } }],
    schema: plan.schema,
    delay: input.delay,
    lineage: windowLineage(input, by.names, by.trees, undefined),
    used: groupUses([...by.trees, ...node.aggs], aggregates, Object.keys(GROUP_METADATA)),
  };
}
