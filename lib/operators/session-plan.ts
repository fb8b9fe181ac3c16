import type pl from "nodejs-polars";
import { printDuration } from "../plan/duration.ts";
import type { GroupBySessionNode } from "../plan/nodes/group-by-session-node.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys, groupUses } from "./aggregate-plan.ts";
import { checkTime } from "./check-time.ts";
import type { Compiled } from "./compile.ts";
import { unique } from "./exprs.ts";
import { type RowLists, rowLists } from "./row-lists.ts";
import { SessionWindow } from "./session-window.ts";
import { GROUP_METADATA, WINDOW_TIMES, windowLineage } from "./window-plan.ts";

/** Sessions with everything known that does not depend on rows. */
export interface SessionPlan {
  readonly node: GroupBySessionNode;
  readonly keys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  readonly aggregates: AggregatePlan;
  readonly lists: RowLists;
  /** How far rows lag behind the watermark when they come here, ms. */
  readonly delay: number;
  readonly released: Schema;
  readonly store: StoreSpec;
}

const KEPT = ["window_start", "window_end", "_rows", "_first", "_last", "_places", "_key", "_partition"];

/** @throws Refusal for keys, times and aggregates that have no exact meaning */
export function sessionPlan(
  node: GroupBySessionNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "used"> {
  const delay = input.delay + checkTime(node, input, "groupBySession");
  const by = groupingKeys(node.by, input, "groupBySession");
  const storedKeys = unique(by.names, KEPT);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: [...by.names, ...Object.keys(WINDOW_TIMES)],
    taken: [...storedKeys, ...KEPT],
    inOrder: false,
    distinct: false,
  });
  const lists = rowLists(aggregates.rows);
  const schema: Schema = {
    ...Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!])),
    ...WINDOW_TIMES,
    ...aggregates.schema,
    ...GROUP_METADATA,
  };
  const names = by.names.length === 0 ? "" : `_by_${by.names.join("_")}`;
  const plan: SessionPlan = {
    node,
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    aggregates,
    lists,
    delay,
    released: { ...schema, _watermark: "Int64" },
    store: {
      name: storeName(`sessions_${printDuration(node.gap)}${names}`),
      key: [...storedKeys, "window_start"],
      schema: {
        ...Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!])),
        ...WINDOW_TIMES,
        ...aggregates.state,
        ...lists.state,
        _rows: "Int64",
        _first: "Int64",
        _last: "Int64",
        _key: "Utf8",
        _partition: "Int32",
      },
    },
  };
  return {
    steps: [
      { operator: { stores: [plan.store], open: (openStore) => new SessionWindow(plan, openStore(plan.store)) } },
    ],
    schema,
    delay: delay + node.grace,
    lineage: windowLineage(input, by.names, by.trees, undefined),
    used: groupUses([...by.trees, ...node.aggs], aggregates, [node.indexColumn, ...Object.keys(GROUP_METADATA)]),
  };
}
