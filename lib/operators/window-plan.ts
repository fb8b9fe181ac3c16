import type pl from "nodejs-polars";
import { longest, parseCalendarDuration } from "../plan/calendar.ts";
import { printDuration } from "../plan/duration.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import { type ExprTree, withoutAlias } from "../plan/tree.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys, groupUses } from "./aggregate-plan.ts";
import { checkTime } from "./check-time.ts";
import type { Compiled } from "./compile.ts";
import { type DistinctPlan, distinctPlan } from "./distinct-values.ts";
import { DynamicWindow } from "./dynamic-window.ts";
import { unique } from "./exprs.ts";
import { groupedLineage } from "./lineage.ts";

/** Windows with everything known that does not depend on rows. */
export interface WindowPlan {
  readonly node: GroupByDynamicNode;
  readonly keys: readonly string[];
  /** Their names in the state. */
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  /** Those that are columns of the input as they are. */
  readonly keyColumns: readonly (string | undefined)[];
  readonly keyDtypes: readonly string[];
  readonly aggregates: AggregatePlan;
  /** How far rows lag behind the watermark when they come here, ms. */
  readonly delay: number;
  /** Of the rows released: the result, metadata, and that they are never late. */
  readonly released: Schema;
  readonly store: StoreSpec;
  readonly rowStore: StoreSpec | undefined;
  readonly distinct: readonly DistinctPlan[];
}

/** Metadata of the row of a group of rows. */
export const GROUP_METADATA: Schema = { _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32" };

/** What a window adds to its keys. */
export const WINDOW_TIMES: Schema = { window_start: "Datetime(ms)", window_end: "Datetime(ms)" };

/** What the state has beside keys and partial aggregates. */
const KEPT = ["window_start", "window_end", "_rows", "_key", "_partition", "_row", "_value"];

/** @throws Refusal for keys, times and aggregates that have no exact meaning */
export function windowPlan(
  node: GroupByDynamicNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "used"> {
  const delay = input.delay + checkTime(node, input, "groupByDynamic");
  const by = groupingKeys(node.by, input, "groupByDynamic");
  const storedKeys = unique(by.names, KEPT);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: [...by.names, ...Object.keys(WINDOW_TIMES)],
    taken: [...storedKeys, ...KEPT],
    inOrder: true,
    distinct: true,
  });
  const keySchema = Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!]));
  const storedKeySchema = Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!]));
  const name = storeName(`window_${lengthOf(node)}${by.names.length === 0 ? "" : `_by_${by.names.join("_")}`}`);
  const schema: Schema = { ...keySchema, ...WINDOW_TIMES, ...aggregates.schema, ...GROUP_METADATA };
  const identity = [...by.names.map((_, i) => `§key_${i}`), "§window_start"];
  const plan: WindowPlan = {
    node,
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    keyColumns: by.trees.map((tree) => columnOf(withoutAlias(tree))),
    keyDtypes: by.dtypes,
    aggregates,
    delay,
    released: { ...schema, _watermark: "Int64" },
    store: {
      name,
      key: [...storedKeys, "window_start"],
      schema: {
        ...storedKeySchema,
        ...WINDOW_TIMES,
        ...aggregates.state,
        _rows: "Int64",
        _key: "Utf8",
        _partition: "Int32",
      },
    },
    rowStore: aggregates.rows && {
      name: storeName(`${name}_rows`),
      key: [...storedKeys, "window_start", "_row"],
      schema: { ...storedKeySchema, ...WINDOW_TIMES, _row: "Int64", ...aggregates.rows.schema },
    },
    distinct: aggregates.distinct.map((distinct) =>
      distinctPlan(
        distinct,
        identity,
        { ...storedKeySchema, window_start: "Datetime(ms)" },
        storeName(`${name}_${distinct.label}`),
        { window_end: "Datetime(ms)" },
      ),
    ),
  };
  const stores = [plan.store, ...(plan.rowStore ? [plan.rowStore] : []), ...plan.distinct.map(({ store }) => store)];
  return {
    steps: [{ operator: { stores, open: (openStore) => new DynamicWindow(plan, openStore) } }],
    schema,
    delay: delay + node.grace,
    lineage: windowLineage(input, by.names, by.trees, lengthAtMost(node)),
    used: groupUses([...by.trees, ...node.aggs], aggregates, [node.indexColumn, ...Object.keys(GROUP_METADATA)]),
  };
}

/**
 * The lineage of the rows of windows: their times are `_time`, `window_end` and, where windows have a greatest length in ms, `window_start`.
 */
export function windowLineage(
  input: Compiled,
  names: readonly string[],
  keys: Parameters<typeof groupedLineage>[2],
  length: number | undefined,
): Compiled["lineage"] {
  const grouped = groupedLineage(input.lineage, names, keys);
  const times = ["_time", "window_end", ...(length === undefined ? [] : ["window_start"])];
  return {
    ...grouped,
    time: new Set(times.filter((name) => !names.includes(name))),
    lags: new Map(length === undefined ? [] : [["window_start", length]]),
  };
}

const columnOf = (tree: ExprTree): string | undefined => (tree.kind === "col" ? tree.name : undefined);

/** For the name of the state. */
function lengthOf({ every, period, calendar }: GroupByDynamicNode): string {
  const [length, each] = calendar ? [calendar.period, calendar.every] : [printDuration(period), printDuration(every)];
  return [length, ...(length === each ? [] : ["every", each])].join("_");
}

function lengthAtMost({ period, calendar }: GroupByDynamicNode): number {
  return calendar === undefined ? period : longest(parseCalendarDuration(calendar.period));
}
