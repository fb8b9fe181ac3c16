import pl from "nodejs-polars";
import { isMetadata } from "../plan/metadata.ts";
import type { JoinTablesNode } from "../plan/nodes/join-tables-node.ts";
import type { TableNode } from "../plan/nodes/table-node.ts";
import { dtypeOf, type Schema } from "../schema.ts";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { columns, renamed, unique } from "./exprs.ts";
import { TRAVELLING } from "./join-as-of-plan.ts";
import { checkJoinKeys } from "./join-checks.ts";
import { joinedColumns } from "./join-columns.ts";
import type { BatchContext, JoinOperator } from "./operator.ts";

/** A table's changes as they come. */
export function compileTable(
  _: TableNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used" | "updating"> {
  return { steps: [], schema: input.schema, lineage: input.lineage, updating: true, used: (wanted) => new Set(wanted) };
}

interface TableSide {
  readonly keys: readonly string[];
  readonly columns: readonly { readonly from: string; readonly to: string; readonly stored: string }[];
  readonly required: boolean;
  readonly store: StoreSpec;
}

interface TablesPlan {
  readonly left: TableSide;
  readonly right: TableSide;
  /** Names of the keys in the result, and dtypes. */
  readonly keys: readonly string[];
  readonly output: Schema;
}

/**
 * Join of two tables by their keys.
 * State: the newest row of each side per key. A batch: the rows it changes on either side are joined anew, and given; a key whose joined row is
 * gone is given as deleted.
 */
class TablesJoin implements JoinOperator {
  readonly #left: KeyedStore;
  readonly #right: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: TablesPlan, openStore: OpenStore) {
    this.#left = openStore(plan.left.store);
    this.#right = openStore(plan.right.store);
    this.#exprs = exprsOf(plan);
  }

  async process(left: pl.DataFrame, right: pl.DataFrame, { commit }: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const changes = [left.select(...exprs.left.prepare), right.select(...exprs.right.prepare)].map((frame) =>
      frame.filter(exprs.hasKeys),
    ) as [pl.DataFrame, pl.DataFrame];
    const places = pl.concat(changes.map((frame) => frame.select(...exprs.place)));
    const touched = places
      .sort("§order")
      .groupBy(exprs.keys)
      .agg(...exprs.lastPlace);
    const before = await this.#joined(touched);
    if (commit) {
      await change(this.#left, changes[0], exprs.keys, exprs.left);
      await change(this.#right, changes[1], exprs.keys, exprs.right);
    }
    const after = commit ? await this.#joined(touched) : before;
    const had = before.filter(exprs.exists).select(...exprs.keyColumns, pl.lit(true).alias("§had"));
    return (after.join(had, { on: exprs.keys, how: "left", nullsEqual: true }) as pl.DataFrame)
      .filter(exprs.exists.or(pl.col("§had").isNotNull()))
      .sort("§order")
      .select(...exprs.output);
  }

  /** The touched keys with what both sides hold for them. */
  async #joined(touched: pl.DataFrame): Promise<pl.DataFrame> {
    const { left, right, keys } = this.#exprs;
    const on = { on: keys, how: "left", nullsEqual: true } as const;
    const held = [
      (await this.#left.lookup(touched.select(...left.storedKeys))).select(...left.fromState),
      (await this.#right.lookup(touched.select(...right.storedKeys))).select(...right.fromState),
    ] as const;
    return (touched.join(held[0], on) as pl.DataFrame).join(held[1], on) as pl.DataFrame;
  }
}

async function change(
  store: KeyedStore,
  rows: pl.DataFrame,
  keys: readonly string[],
  exprs: ReturnType<typeof sideExprs>,
): Promise<void> {
  if (rows.height === 0) return;
  const last = rows.groupBy([...keys]).agg(...exprs.last);
  await store.upsert(last.filter(pl.col("§deleted").not()).select(...exprs.toState));
  await store.remove(last.filter(pl.col("§deleted")).select(...exprs.storedKeys));
}

function sideExprs(side: TableSide, name: string, keys: readonly string[]) {
  const values = side.columns.map((_, i) => `§${name}_${i}`);
  const storedKeys = side.store.key;
  const stored = side.columns.map((column) => column.stored);
  return {
    prepare: [
      ...renamed(side.keys, keys),
      ...renamed(
        side.columns.map(({ from }) => from),
        values,
      ),
      pl.col("_delete").fillNull(pl.lit(false)).alias("§deleted"),
      pl.col("_sequence").alias("§order"),
      ...columns(Object.keys(TRAVELLING)),
    ],
    storedKeys: renamed(keys, storedKeys),
    last: [...values, "§deleted"].map((value) => pl.col(value).last()),
    toState: renamed([...keys, ...values], [...storedKeys, ...stored]),
    fromState: [...renamed([...storedKeys, ...stored], [...keys, ...values]), pl.lit(true).alias(`§has_${name}`)],
  };
}

function exprsOf(plan: TablesPlan) {
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const has = (name: string): pl.Expr => pl.col(`§has_${name}`).isNotNull();
  const { left, right } = plan;
  const [l, r] = [has("left"), has("right")];
  const exists = left.required ? (right.required ? l.and(r) : l) : right.required ? r : l.or(r);
  const value = (to: string): pl.Expr => {
    const key = plan.keys.indexOf(to);
    if (key >= 0) return pl.col(keys[key]!);
    const i = left.columns.findIndex((column) => column.to === to);
    const column = i >= 0 ? `§left_${i}` : `§right_${right.columns.findIndex((one) => one.to === to)}`;
    return pl
      .when(exists)
      .then(pl.col(column))
      .otherwise(pl.lit(null).cast(dtypeOf(plan.output[to]!)));
  };
  const travelling = Object.keys(TRAVELLING);
  return {
    keys,
    keyColumns: columns(keys),
    hasKeys: keys.map((key) => pl.col(key).isNotNull()).reduce((all, one) => all.and(one)),
    place: columns([...keys, "§order", ...travelling]),
    lastPlace: [
      pl.col("§order").last(),
      ...travelling.map((name) => (name === "_time" ? pl.col(name).max() : pl.col(name).last())),
    ],
    left: sideExprs(left, "left", keys),
    right: sideExprs(right, "right", keys),
    exists,
    output: [
      ...Object.keys(plan.output)
        .filter((name) => !isMetadata(name))
        .map((name) => value(name).alias(name)),
      ...columns(travelling),
      exists.not().alias("_delete"),
    ],
  };
}

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN` */
export function compileTables(
  node: JoinTablesNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used" | "updating"> & { watermark: true } {
  const { leftOn, rightOn, how, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, right.schema, "join");
  const values = ({ schema }: Compiled): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const joined = joinedColumns(values(left), values(right), { left: [], right: rightOn }, suffix, "join");
  const sideOf = (
    compiled: Compiled,
    on: readonly string[],
    all: readonly { readonly from: string; readonly to: string }[],
    required: boolean,
    label: string,
  ): TableSide => {
    const own = all.filter(({ from }) => !on.includes(from));
    const names = unique([...on, ...own.map(({ from }) => from)]);
    const key = names.slice(0, on.length);
    const kept = own.map((column, i) => ({ ...column, stored: names[on.length + i]! }));
    return {
      keys: on,
      columns: kept,
      required,
      store: {
        name: storeName(`tables_by_${leftOn.join("_")}_${label}`),
        key,
        schema: {
          ...Object.fromEntries(key.map((name, i) => [name, compiled.schema[on[i]!]!])),
          ...Object.fromEntries(kept.map(({ from, stored }) => [stored, compiled.schema[from]!])),
        },
      },
    };
  };
  const output: Schema = {
    ...Object.fromEntries(joined.left.map(({ from, to }) => [to, left.schema[from]!])),
    ...Object.fromEntries(joined.right.map(({ from, to }) => [to, right.schema[from]!])),
    ...TRAVELLING,
    _delete: "Boolean",
  };
  const plan: TablesPlan = {
    left: sideOf(left, leftOn, joined.left, how !== "full", "left"),
    right: sideOf(right, rightOn, joined.right, how === "inner", "right"),
    keys: leftOn,
    output,
  };
  const stores = [plan.left.store, plan.right.store];
  return {
    steps: [{ join: { stores, open: (openStore) => new TablesJoin(plan, openStore) } }],
    schema: output,
    lineage: left.lineage,
    updating: true,
    watermark: true,
    used: (_, input) => {
      const side = input === 0 ? plan.left : plan.right;
      return new Set([...side.keys, ...side.columns.map(({ from }) => from), ...Object.keys(TRAVELLING), "_delete"]);
    },
  };
}
