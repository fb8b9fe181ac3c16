import pl from "nodejs-polars";
import { ewmOptions } from "../plan/analysis/method-meanings.ts";
import type { Stage, StatefulCall } from "../plan/analysis/stages.ts";
import { print } from "../plan/print.ts";
import { replay } from "../plan/replay.ts";
import { colTree, type ExprTree } from "../plan/tree.ts";
import { type Schema, schemaOf } from "../schema.ts";
import type { StoreSpec } from "../state/store.ts";
import { beside, perKey, unique } from "./exprs.ts";
import { clockOf, LIFE, type Ttl } from "./lives.ts";
import { adding, type RowQuery } from "./row-query.ts";
import { weightedMean } from "./weighted-mean.ts";

/** A value that a stage computes per row before it looks at other rows, and keeps per key afterwards. */
export interface StageColumn {
  /** Its name while the stage runs. */
  readonly name: string;
  /** Its name in the state, readable. */
  readonly stored: string;
  readonly expr: pl.Expr;
  /** The expression, where it is one of the program's own. */
  readonly tree: ExprTree | undefined;
  /** What is kept of it per key, as an aggregate over seed and batch. */
  readonly kept: pl.Expr;
}

/** A stage with its dtypes known: the columns it prepares, the calls it makes, and what it keeps. */
export interface StagePlan {
  readonly stage: Stage;
  readonly keys: readonly string[];
  /** Names of the keys in the state. */
  readonly storedKeys: readonly string[];
  /** The keys and the columns, computed over the batch before the stage, which takes them off again. */
  readonly prepare: readonly pl.Expr[];
  /** Their names. */
  readonly prepared: readonly string[];
  readonly columns: readonly StageColumn[];
  /** The stateful calls over seed and batch, named as the stage promised. */
  readonly results: readonly pl.Expr[];
  /** Of calls that look back: which of `columns` they do so over, by the column that stands for the call. */
  readonly arguments: ReadonlyMap<string, string>;
  /** When a key is forgotten; undefined for never. */
  readonly ttl: Ttl | undefined;
  /** The input's schema and the results. */
  readonly schema: Schema;
  /** Of keys and columns, under their names in the state. */
  readonly stateSchema: Schema;
}

/** What a row of several per key has in the state beside its values. */
const PLACE = ["slot", "sequence"];
/** And what it has where keys are forgotten: the clock at the key's last row, and at the row itself. */
const CLOCKS = ["seen", "clock"];
const COUNTER = { cumCount: true } as const;
/** Accumulating calls whose result may have a wider dtype than their argument: the argument is widened first, so that the state fits. */
const WIDENING = new Set(["cumSum", "cumProd", "ewmMean"]);

/**
 * Works out a stage over rows of this schema. `empty` is a frame of that schema without rows: names and dtypes are asked of Polars.
 */
export function planStage(stage: Stage, empty: pl.DataFrame, ttl?: Ttl): StagePlan {
  const keys = stage.keys.map((_, i) => `§key_${i}`);
  const over = ttl === undefined ? keys : [...keys, LIFE];
  const reserved = ttl === undefined ? PLACE : [...PLACE, ...CLOCKS];
  const storedKeys = unique(
    stage.keys.map((key, i) => (key.kind === "col" ? key.name : `key_${i}`)),
    reserved,
  );
  const columns: StageColumn[] = [];
  const names = new Map<string, string>();
  const args = new Map<string, string>();
  const taken = new Set([...storedKeys, ...reserved]);

  const column = (
    id: string,
    label: string,
    expr: pl.Expr,
    kept: (name: string) => pl.Expr,
    tree?: ExprTree,
  ): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const name = `§arg_${columns.length}`;
    names.set(id, name);
    let stored = label;
    for (let i = 2; taken.has(stored); i++) stored = `${label}_${i}`;
    taken.add(stored);
    columns.push({ name, stored, expr: expr.alias(name), tree, kept: kept(name) });
    return name;
  };

  const results = stage.calls.flatMap((call): pl.Expr | pl.Expr[] => {
    const { tree, column: result } = call;
    const label = tree.self.kind === "col" && !tree.self.name.startsWith("§") ? tree.self.name : "value";
    const self = print(tree.self);
    if (call.rows !== undefined) {
      const name = column(self, label, replay(tree.self), (name) => pl.col(name).last(), tree.self);
      args.set(result, name);
      return perKey(replay({ ...tree, self: colTree(name) }), over).alias(result);
    }
    if (tree.fn in COUNTER) {
      // a count goes on by adding: rows count as one where they hold a value
      const counted = replay(tree.self).isNotNull().cast(pl.UInt32);
      const name = column(`${self}.count`, `${label}_count`, counted, () => pl.col(result).last());
      return perKey(pl.col(name).cumSum(), over).alias(result);
    }
    if (tree.fn === "ewmMean" && ewmOptions(tree).adjust) {
      const parts = weightedMean(tree, replay(tree.self));
      const own = parts.sums.map(({ name, value, over: sum }) => {
        const held = column(`${print(tree)}.${name}`, `${label}_ewm_${name}`, value, () =>
          pl.col(`${result}_${name}`).dropNulls().last(),
        );
        return { name, sum: perKey(sum(pl.col(held)), over) };
      });
      const [weighted, weights, count] = own.map(({ sum }) => sum) as [pl.Expr, pl.Expr, pl.Expr];
      const present = column(`${print(tree)}.present`, `${label}_ewm_present`, replay(tree.self).isNotNull(), (name) =>
        pl.col(name).last(),
      );
      return [
        parts
          .result(weighted, weights, count, pl.col(present))
          .cast(resultDType(call, stage.keys, empty))
          .alias(result),
        ...own.map(({ name, sum }) => sum.alias(`${result}_${name}`)),
      ];
    }
    const argument = WIDENING.has(tree.fn)
      ? replay(tree.self).cast(resultDType(call, stage.keys, empty))
      : replay(tree.self);
    const name = column(`${self}.${tree.fn}`, `${label}_${tree.fn}`, argument, () => pl.col(result).dropNulls().last());
    return perKey(replay({ ...tree, self: colTree(name) }), over).alias(result);
  });

  const prepare = [...stage.keys.map((key, i) => replay(key).alias(keys[i]!)), ...columns.map((column) => column.expr)];
  const work = empty.select(...prepare);
  const state = schemaOf(work);
  const after = beside(empty, work.withColumns(FIRST_LIFE).select(...results));
  return {
    stage,
    keys,
    storedKeys,
    prepare,
    prepared: [...keys, ...columns.map(({ name }) => name)],
    columns,
    results,
    arguments: args,
    ttl,
    schema: schemaOf(after),
    stateSchema: Object.fromEntries([
      ...keys.map((key, i) => [storedKeys[i]!, state[key]!]),
      ...columns.map(({ name, stored }) => [stored, state[name]!]),
    ]),
  };
}

/** The step before a stage: its keys and columns beside the rows. @param schema of the rows */
export function preparing({ stage, columns, prepare, prepared }: StagePlan, schema: Schema): RowQuery {
  const trees = [...stage.keys, ...columns.map(({ tree }) => tree)].filter((tree) => tree !== undefined);
  if (trees.length < prepared.length) return { query: (rows) => rows.withColumns(...prepare) };
  return adding({ exprs: prepare, names: prepared, trees, schema }, []);
}

function resultDType(call: StatefulCall, keys: readonly ExprTree[], empty: pl.DataFrame): pl.DataType {
  const columns = [replay(call.tree.self).alias("§value"), ...keys.map((key, i) => replay(key).alias(`§key_${i}`))];
  const names = keys.map((_, i) => `§key_${i}`);
  return empty.select(...columns).select(perKey(replay({ ...call.tree, self: colTree("§value") }), names)).dtypes[0]!;
}

/** A batch as a stage gets it: its own columns, and what was prepared of them, with the clock where keys are forgotten. */
export function partsOf(plan: StagePlan, given: pl.DataFrame): { batch: pl.DataFrame; work: pl.DataFrame } {
  const own = given.columns.filter((name) => !plan.prepared.includes(name));
  const batch = given.select(...own);
  const work = given.select(...plan.prepared);
  return { batch, work: plan.ttl === undefined ? work : beside(work, batch.select(clockOf(batch))) };
}

const FIRST_LIFE = pl.lit(0).cast(pl.Int64).alias(LIFE);

export function stageStore(plan: StagePlan, name: string): StoreSpec {
  const seen: Schema = plan.ttl === undefined ? {} : { seen: "Int64" };
  if (plan.stage.kind === "last") return { name, key: plan.storedKeys, schema: { ...plan.stateSchema, ...seen } };
  return {
    name,
    key: [...plan.storedKeys, "slot"],
    schema: {
      ...plan.stateSchema,
      slot: "Int64",
      sequence: "Int64",
      ...seen,
      ...(plan.ttl === undefined ? {} : { clock: "Int64" }),
    },
  };
}
