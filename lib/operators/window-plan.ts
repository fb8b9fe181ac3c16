import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { type Aggregate, splitAggregates } from "../plan/analysis/aggregates.ts";
import { checkAggs, type Place } from "../plan/analysis/check.ts";
import { expand } from "../plan/analysis/expand.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { printDuration } from "../plan/duration.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { GroupByDynamicNode } from "../plan/nodes/group-by-dynamic-node.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import { columnsOf, type ExprTree } from "../plan/tree.ts";
import { dtypeOf, emptyFrame, type Schema, schemaOf } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { compileExprs, outcome } from "./compile-exprs.ts";
import { DynamicWindow } from "./dynamic-window.ts";
import { unique } from "./exprs.ts";
import { checkCoPartitioned } from "./lineage.ts";
import { aggregated, type PartialColumn, partialAggregate } from "./partial-aggregate.ts";
import { inputsOf } from "./window-exprs.ts";

/** Windows with everything known that does not depend on rows. */
export interface WindowPlan {
  readonly node: GroupByDynamicNode;
  readonly keys: readonly string[];
  /** Their names in the state. */
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  /** The input's columns that aggregates read. */
  readonly inputs: readonly string[];
  /** Kept per key and window beside keys, `window_start` and `window_end`. */
  readonly partials: readonly PartialColumn[];
  /** Columns of the input whose rows the window keeps until it closes, and the aggregates over them. */
  readonly collected:
    | {
        readonly columns: readonly string[];
        readonly stored: readonly string[];
        readonly aggregates: readonly pl.Expr[];
      }
    | undefined;
  /** Aggregates from merged partial values; then the columns of the result from aggregates. */
  readonly results: readonly pl.Expr[];
  readonly outputs: readonly pl.Expr[];
  readonly schema: Schema;
  readonly store: StoreSpec;
  readonly rowStore: StoreSpec | undefined;
}

/** @throws Refusal for keys, times and aggregates that have no exact meaning */
export function windowPlan(
  node: GroupByDynamicNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const place: Place = { verb: "groupByDynamic", input: input.node };
  checkTime(node, input, "groupByDynamic");
  const by = compileExprs(node.by, input.schema, place);
  if (by.stages.length > 0)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "a key of a window that depends on earlier rows is not built yet",
      where: "groupByDynamic",
      remedies: ["compute it in a withColumns before, and use that column"],
    });
  checkCoPartitioned(by.trees, input.lineage, `groupByDynamic by ${by.trees.map(print).join(", ") || "nothing"}`);

  const values = Object.fromEntries(Object.entries(input.schema).filter(([name]) => !by.names.includes(name)));
  const trees = node.aggs.flatMap((agg) => expand(agg, values));
  const aggPlace: Place = { verb: "agg", input: input.node };
  for (const tree of trees) checkColumns(columnsOf(tree), input.schema, `agg: ${print(tree)}`);
  checkAggs(trees, aggPlace);
  const empty = emptyFrame(input.schema);
  const grouping = node.by.length > 0 ? by.trees.map((tree) => replay(tree)) : [pl.col("_partition")];
  const made = trees.map((tree) => outcome(tree, () => empty.groupBy(grouping as any).agg(replay(tree)), aggPlace));
  checkNames([...by.names, "window_start", "window_end", ...made.map(({ name }) => name)]);

  const split = splitAggregates(trees);
  const partials: PartialColumn[] = [];
  const results: pl.Expr[] = [];
  const collected: Aggregate[] = [];
  for (const aggregate of split.aggregates) {
    const argument = aggregated(aggregate.tree);
    const dtype = argument && outcome(argument, () => empty.select(replay(argument)), aggPlace).dtype;
    const partial = partialAggregate(aggregate, dtype);
    if (partial === undefined) collected.push(aggregate);
    else {
      partials.push(...partial.columns);
      results.push(partial.result.alias(aggregate.column));
    }
  }
  const outputs = split.exprs.map((tree, i) => replay(tree).cast(dtypeOf(made[i]!.dtype)).alias(made[i]!.name));

  const keySchema = Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!]));
  const times: Schema = { window_start: "Datetime(ms)", window_end: "Datetime(ms)" };
  const metadata: Schema = { _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32" };
  const state = schemaOf(empty.groupBy("_partition").agg(pl.len(), ...partials.map(({ partial }) => partial)));
  const storedKeys = unique(by.names, KEPT);
  const labels = unique(
    partials.map(({ label }) => label),
    [...storedKeys, ...KEPT],
  );
  const storedKeySchema = Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!]));
  const labelled = partials.map((partial, i) => ({ ...partial, label: labels[i]! }));
  const label = [
    printDuration(node.period),
    ...(node.period === node.every ? [] : ["every", printDuration(node.every)]),
  ].join("_");
  const name = storeName(`window_${label}${by.names.length === 0 ? "" : `_by_${by.names.join("_")}`}`);
  const columns = [...new Set(collected.flatMap(({ tree }) => columnsOf(tree)))];
  const held = unique(
    columns.map((_, i) => `value_${i}`),
    [...storedKeys, ...KEPT],
  );
  const plan: WindowPlan = {
    node,
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    inputs: inputsOf(trees),
    partials: labelled,
    collected:
      collected.length === 0
        ? undefined
        : { columns, stored: held, aggregates: collected.map(({ tree, column }) => replay(tree).alias(column)) },
    results,
    outputs,
    schema: {
      ...keySchema,
      ...times,
      ...Object.fromEntries(made.map(({ name, dtype }) => [name, dtype])),
      ...metadata,
    },
    store: {
      name,
      key: [...storedKeys, "window_start"],
      schema: {
        ...storedKeySchema,
        ...times,
        ...Object.fromEntries(labelled.map(({ name, label }) => [label, state[name]!])),
        _rows: "Int64",
        _key: "Utf8",
        _partition: "Int32",
      },
    },
    rowStore:
      collected.length === 0
        ? undefined
        : {
            name: storeName(`${name}_rows`),
            key: [...storedKeys, "window_start", "_row"],
            schema: {
              ...storedKeySchema,
              ...times,
              _row: "Int64",
              ...Object.fromEntries(columns.map((column, i) => [held[i]!, input.schema[column]!])),
            },
          },
  };
  const stores = plan.rowStore === undefined ? [plan.store] : [plan.store, plan.rowStore];
  return {
    steps: [{ operator: { stores, open: (openStore) => new DynamicWindow(plan, openStore) } }],
    schema: plan.schema,
    lineage: {
      source: input.lineage.source,
      key: new Set([
        "_key",
        ...by.names.filter(
          (_, i) => columnsOf(by.trees[i]!).some((column) => input.lineage.key.has(column)) && isPlain(by.trees[i]!),
        ),
      ]),
      time: new Set(["_time"]),
    },
    used: () => new Set([...by.trees, ...trees].flatMap(columnsOf).concat(node.indexColumn, ...Object.keys(metadata))),
  };
}

/** What the state has beside keys and partial aggregates. */
const KEPT = ["window_start", "window_end", "_rows", "_key", "_partition", "_row"];

function isPlain(tree: ExprTree): boolean {
  return tree.kind === "col" || (tree.kind === "call" && tree.fn === "alias" && isPlain(tree.self));
}

/** @throws Refusal `NOT_EVENT_TIME`, `NOT_BUILT` (windows over windows) */
export function checkTime({ indexColumn }: { readonly indexColumn: string }, input: Compiled, verb: string): void {
  if (input.windowed)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "windows over the rows of windows are not built yet",
      where: verb,
      remedies: [
        "use one longer window over the records themselves",
        "write the first windows to a topic and read that",
      ],
    });
  checkColumns([indexColumn], input.schema, `${verb}: indexColumn`);
  if (input.lineage.time.has(indexColumn) && input.schema[indexColumn] === "Datetime(ms)") return;
  const { source } = input.lineage;
  throw new Refusal({
    code: "NOT_EVENT_TIME",
    what: `"${indexColumn}" is not the event time of these rows, by which windows close`,
    where: `${verb}: indexColumn`,
    remedies: [
      ...(source.time === undefined
        ? []
        : [`use indexColumn: "${[...input.lineage.time].find((name) => !isMetadata(name)) ?? "_time"}"`]),
      `say which column holds it: topic(…, { time: "${indexColumn}" })`,
      'use the record\'s own time: indexColumn: "_time"',
    ],
  });
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new Refusal({
    code: "DUPLICATE_COLUMN",
    what: `two columns of the window's rows would be named "${twice}"`,
    where: "agg",
    remedies: [`name the aggregate: .alias("${twice}_…")`],
  });
}
