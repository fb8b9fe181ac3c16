import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { splitAggregates } from "../plan/analysis/aggregates.ts";
import { checkAggs, type Place } from "../plan/analysis/check.ts";
import { expand } from "../plan/analysis/expand.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import type { GroupByNode } from "../plan/nodes/group-by-node.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import { columnsOf } from "../plan/tree.ts";
import { dtypeOf, emptyFrame, type Schema, schemaOf } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { compileExprs, outcome } from "./compile-exprs.ts";
import { unique } from "./exprs.ts";
import { checkCoPartitioned, lineageAfter } from "./lineage.ts";
import { aggregated, type PartialColumn, partialAggregate } from "./partial-aggregate.ts";
import { RunningGroups } from "./running-groups.ts";
import { inputsOf } from "./window-exprs.ts";

/** Running groups with everything known that does not depend on rows. */
export interface GroupPlan {
  readonly keys: readonly string[];
  readonly storedKeys: readonly string[];
  readonly keyExprs: readonly pl.Expr[];
  /** The input's columns that aggregates read. */
  readonly inputs: readonly string[];
  readonly partials: readonly PartialColumn[];
  /** Aggregates from merged partial values; then the columns of the result from aggregates. */
  readonly results: readonly pl.Expr[];
  readonly outputs: readonly pl.Expr[];
  readonly schema: Schema;
  readonly store: StoreSpec;
}

const METADATA: Schema = { _key: "Utf8", _time: "Datetime(ms)", _partition: "Int32" };

/** @throws Refusal for keys and aggregates that have no exact meaning, and for those that would keep every row for ever */
export function groupPlan(
  node: GroupByNode,
  input: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const place: Place = { verb: "groupBy", input: input.node };
  const by = compileExprs(node.by, input.schema, place);
  if (by.stages.length > 0)
    throw new Refusal({
      code: "NOT_BUILT",
      what: "a key of a group that depends on earlier rows is not built yet",
      where: "groupBy",
      remedies: ["compute it in a withColumns before, and use that column"],
    });
  checkCoPartitioned(by.trees, input.lineage, `groupBy ${by.trees.map(print).join(", ") || "nothing"}`);

  const values = Object.fromEntries(Object.entries(input.schema).filter(([name]) => !by.names.includes(name)));
  const trees = node.aggs.flatMap((agg) => expand(agg, values));
  const aggPlace: Place = { verb: "agg", input: input.node };
  for (const tree of trees) checkColumns(columnsOf(tree), input.schema, `agg: ${print(tree)}`);
  checkAggs(trees, aggPlace);
  const empty = emptyFrame(input.schema);
  const grouping = by.trees.map((tree) => replay(tree));
  const made = trees.map((tree) => outcome(tree, () => empty.groupBy(grouping as any).agg(replay(tree)), aggPlace));
  const names = [...by.names, ...made.map(({ name }) => name)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `two columns of the groups would be named "${twice}"`,
      where: "agg",
      remedies: [`name the aggregate: .alias("${twice}_…")`],
    });

  const split = splitAggregates(trees);
  const partials: PartialColumn[] = [];
  const results: pl.Expr[] = [];
  for (const aggregate of split.aggregates) {
    const argument = aggregated(aggregate.tree);
    const dtype = argument && outcome(argument, () => empty.select(replay(argument)), aggPlace).dtype;
    const partial = partialAggregate(aggregate, dtype);
    if (partial === undefined)
      throw new Refusal({
        code: "UNBOUNDED_ROWS",
        what: `${print(aggregate.tree)} over everything so far would keep every row of a key for ever`,
        where: "agg",
        remedies: [
          `a window: groupByDynamic({ indexColumn: …, every: "1h", by: ${by.trees.map(print).join(", ")} }).agg(${print(aggregate.tree)})`,
          "an aggregate that keeps one value: sum, count, min, max, mean, var, std, first, last",
        ],
      });
    partials.push(...partial.columns);
    results.push(partial.result.alias(aggregate.column));
  }

  const state = schemaOf(empty.groupBy("_partition").agg(pl.len(), ...partials.map(({ partial }) => partial)));
  const storedKeys = unique(by.names);
  const labels = unique(
    partials.map(({ label }) => label),
    storedKeys,
  );
  const labelled = partials.map((partial, i) => ({ ...partial, label: labels[i]! }));
  const schema = {
    ...Object.fromEntries(by.names.map((name, i) => [name, by.dtypes[i]!])),
    ...Object.fromEntries(made.map(({ name, dtype }) => [name, dtype])),
    ...METADATA,
  };
  const plan: GroupPlan = {
    keys: by.names,
    storedKeys,
    keyExprs: by.exprs,
    inputs: inputsOf(trees),
    partials: labelled,
    results,
    outputs: split.exprs.map((tree, i) => replay(tree).cast(dtypeOf(made[i]!.dtype)).alias(made[i]!.name)),
    schema,
    store: {
      name: storeName(`groups_by_${by.names.join("_")}`),
      key: storedKeys,
      schema: {
        ...Object.fromEntries(storedKeys.map((name, i) => [name, by.dtypes[i]!])),
        ...Object.fromEntries(labelled.map(({ name, label }) => [label, state[name]!])),
      },
    },
  };
  const named = new Map(by.names.map((name, i) => [name, by.trees[i]!]));
  return {
    steps: [
      { operator: { stores: [plan.store], open: (openStore) => new RunningGroups(plan, openStore(plan.store)) } },
    ],
    schema,
    lineage: lineageAfter(input.lineage, named, () => false),
    used: () => new Set([...[...by.trees, ...trees].flatMap(columnsOf), ...Object.keys(METADATA)]),
  };
}
