import type pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { printDuration } from "../plan/duration.ts";
import { reach } from "../plan/explain-windows.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { GroupByRollingNode } from "../plan/nodes/group-by-rolling-node.ts";
import type { Schema } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { type AggregatePlan, aggregatePlan, groupingKeys, groupUses } from "./aggregate-plan.ts";
import { checkTime } from "./check-time.ts";
import type { Compiled } from "./compile.ts";
import { unique } from "./exprs.ts";
import { groupedLineage } from "./lineage.ts";
import { RollingWindow } from "./rolling-window.ts";

/** Rolling windows with everything known that does not depend on rows. */
export interface RollingPlan {
  readonly node: GroupByRollingNode;
  readonly keys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  readonly aggregates: AggregatePlan;
  /** The input's columns that aggregates read, and their names in the state. */
  readonly inputs: readonly string[];
  readonly stored: readonly string[];
  /** How far rows lag behind the watermark when they come here, ms. */
  readonly delay: number;
  /** How long a row is needed after its time, ms. */
  readonly reach: number;
  readonly released: Schema;
  readonly store: StoreSpec;
}

const METADATA: Schema = { _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32", _offset: "Int64" };
const KEPT = ["_row", "time", "release", "needed", ...Object.keys(METADATA)];

/** @throws Refusal for keys, times and aggregates that have no exact meaning */
export function rollingPlan(
  node: GroupByRollingNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "delay" | "used"> {
  const delay = input.delay + checkTime(node, input, "groupByRolling");
  const by = groupingKeys(node.by, input, "groupByRolling");
  if (by.names.includes(node.indexColumn))
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `"${node.indexColumn}" is a key and the event time`,
      where: "groupByRolling",
      remedies: [`give the key a name of its own: pl.col("${node.indexColumn}").alias("key")`],
    });
  const storedKeys = unique(by.names, KEPT);
  const aggregates = aggregatePlan(node.aggs, by, input, {
    reserved: [...by.names, node.indexColumn],
    taken: [...storedKeys, ...KEPT],
    inOrder: false,
    distinct: false,
  });
  const present = Object.fromEntries(Object.entries(METADATA).filter(([name]) => Object.hasOwn(input.schema, name)));
  const inputs = aggregates.inputs.filter((name) => !Object.hasOwn(present, name));
  const stored = unique(
    inputs.map((_, i) => `value_${i}`),
    [...storedKeys, ...KEPT],
  );
  const schema: Schema = {
    ...Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!])),
    ...(isMetadata(node.indexColumn) ? {} : { [node.indexColumn]: "Datetime(ms)" }),
    ...aggregates.schema,
    ...present,
  };
  const names = by.names.length === 0 ? "" : `_by_${by.names.join("_")}`;
  const plan: RollingPlan = {
    node,
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    aggregates,
    inputs,
    stored,
    delay,
    reach: reach(node),
    released: { ...schema, _watermark: "Int64" },
    store: {
      name: storeName(`rolling_${printDuration(node.period)}${names}`),
      key: [...storedKeys, "_row"],
      schema: {
        ...Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!])),
        _row: "Int64",
        time: "Int64",
        release: "Int64",
        needed: "Int64",
        ...Object.fromEntries(inputs.map((name, i) => [stored[i]!, input.schema[name]!])),
        ...present,
      },
    },
  };
  return {
    steps: [
      { operator: { stores: [plan.store], open: (openStore) => new RollingWindow(plan, openStore(plan.store)) } },
    ],
    schema,
    delay: delay + node.grace + Math.max(0, node.offset + node.period),
    lineage: {
      ...groupedLineage(input.lineage, by.names, by.trees),
      time: new Set(["_time", ...(isMetadata(node.indexColumn) ? [] : [node.indexColumn])]),
      ...(input.lineage.lags && { lags: input.lineage.lags }),
    },
    used: groupUses([...by.trees, ...node.aggs], aggregates, [node.indexColumn, ...Object.keys(present)]),
  };
}
