import pl from "nodejs-polars";
import { isMetadata } from "../plan/metadata.ts";
import type { JoinTablesNode } from "../plan/nodes/join-tables-node.ts";
import { tableKeys } from "../plan/table-keys.ts";
import { dtypeOf, type Schema } from "../schema.ts";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { columns, renamed, unique } from "./exprs.ts";
import { TRAVELLING } from "./join-as-of-plan.ts";
import { checkJoinKeys } from "./join-checks.ts";
import { joinedColumns } from "./join-columns.ts";
import type { BatchContext, JoinOperator } from "./operator.ts";

interface ForeignPlan {
  /** The left table's key, the column of it that holds the right one's key, and the right one's key; by their names in the schemas. */
  readonly keys: readonly string[];
  readonly foreign: readonly string[];
  readonly rightKeys: readonly string[];
  /** Columns that are neither, by their names in the input, the result and the state. */
  readonly left: readonly Value[];
  readonly right: readonly Value[];
  readonly inner: boolean;
  readonly output: Schema;
  readonly leftStore: StoreSpec;
  readonly byForeign: StoreSpec;
  readonly rightStore: StoreSpec;
}

interface Value {
  readonly from: string;
  readonly to: string;
  readonly stored: string;
}

/**
 * Join of a table with another one whose key it holds in a column: many of its rows may hold the same.
 * State: the newest row of the left side per key, and its key by the foreign one; the newest row of the right side per key, all of them in every partition.
 * A batch: left rows that it changes, and those whose right row it changes, are joined anew, and given; a key whose joined row is gone is given as deleted.
 */
class ForeignJoin implements JoinOperator {
  readonly #left: KeyedStore;
  readonly #byForeign: KeyedStore;
  readonly #right: KeyedStore;
  readonly #exprs: ReturnType<typeof exprsOf>;

  constructor(plan: ForeignPlan, openStore: OpenStore) {
    this.#left = openStore(plan.leftStore);
    this.#byForeign = openStore(plan.byForeign);
    this.#right = openStore(plan.rightStore);
    this.#exprs = exprsOf(plan);
  }

  async process(left: pl.DataFrame, right: pl.DataFrame, { commit }: BatchContext): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const changes = newest(left.select(...exprs.left).filter(exprs.hasKeys), exprs.keys);
    const others = newest(right.select(...exprs.right).filter(exprs.hasForeign), exprs.foreign);
    const concerned = await this.#byForeign.scan(others.select(...exprs.foreignStored));
    const byOthers = concerned
      .select(...exprs.fromByForeign)
      .join(others.select(...exprs.otherPlace), { on: exprs.foreign, how: "inner" }) as pl.DataFrame;
    const places = pl.concat([changes.select(...exprs.place), byOthers.select(...exprs.place)]);
    const touched = places.groupBy(exprs.keys).agg(pl.col("§order").max(), pl.col("_time").max());
    const before = await this.#joined(touched);
    if (commit) {
      await this.#change(changes, before);
      await this.#right.upsert(others.filter(STAYS).select(...exprs.toRight));
      await this.#right.remove(others.filter(GONE).select(...exprs.foreignStored));
    }
    const after = commit ? await this.#joined(touched) : before;
    const had = before.filter(exprs.exists).select(...exprs.had);
    return (after.join(had, { on: exprs.keys, how: "left" }) as pl.DataFrame)
      .filter(exprs.exists.or(pl.col("§had").isNotNull()))
      .sort("§order")
      .select(...exprs.output);
  }

  /** Keeps the left rows of a batch, and where they are found by their foreign keys. */
  async #change(changes: pl.DataFrame, before: pl.DataFrame): Promise<void> {
    const exprs = this.#exprs;
    if (changes.height === 0) return;
    const stale = before
      .filter(exprs.hasLeft)
      .join(changes.select(...columns(exprs.keys)), { on: exprs.keys, how: "semi" }) as pl.DataFrame;
    await this.#byForeign.remove(stale.select(...exprs.toByForeign));
    const stay = changes.filter(STAYS);
    await this.#left.upsert(stay.select(...exprs.toLeft));
    await this.#left.remove(changes.filter(GONE).select(...exprs.keysStored));
    await this.#byForeign.upsert(stay.select(...exprs.toByForeign));
  }

  /** The touched keys with what both sides hold for them. */
  async #joined(touched: pl.DataFrame): Promise<pl.DataFrame> {
    const exprs = this.#exprs;
    const rows = (await this.#left.lookup(touched.select(...exprs.keysStored))).select(...exprs.fromLeft);
    const foreign = rows.filter(exprs.hasForeign).select(...columns(exprs.foreign));
    const distinct = foreign.unique({ subset: exprs.foreign } as never);
    const found = (await this.#right.lookup(distinct.select(...exprs.foreignStored))).select(...exprs.fromRight);
    return (touched.join(rows, { on: exprs.keys, how: "left" }) as pl.DataFrame).join(found, {
      on: exprs.foreign,
      how: "left",
    }) as pl.DataFrame;
  }
}

const GONE = pl.col("§deleted");
const STAYS = GONE.not();

/** The last change per key. */
function newest(changes: pl.DataFrame, keys: string[]): pl.DataFrame {
  return changes.sort("§order").unique({ subset: keys, keep: "last", maintainOrder: true } as never);
}

function exprsOf(plan: ForeignPlan) {
  const keys = plan.keys.map((_, i) => `§key_${i}`);
  const foreign = plan.foreign.map((_, i) => `§foreign_${i}`);
  const lefts = plan.left.map((_, i) => `§left_${i}`);
  const rights = plan.right.map((_, i) => `§right_${i}`);
  const [keyStored, foreignStored] = [plan.leftStore.key, plan.rightStore.key];
  const from = (values: readonly Value[]): string[] => values.map((value) => value.from);
  const stored = (values: readonly Value[]): string[] => values.map((value) => value.stored);
  const all = (names: readonly string[]): pl.Expr =>
    names.map((name) => pl.col(name).isNotNull()).reduce((both, one) => both.and(one));
  const origin = ["_key", "_partition", "_offset"];
  const changed = [
    pl.col("_delete").fillNull(pl.lit(false)).alias("§deleted"),
    pl.col("_sequence").alias("§order"),
    ...columns(Object.keys(TRAVELLING)),
  ];
  const hasLeft = pl.col("§has_left").isNotNull();
  const hasRight = pl.col("§has_right").isNotNull();
  const exists = plan.inner ? hasLeft.and(hasRight) : hasLeft;
  const value = (to: string): pl.Expr => {
    const key = plan.keys.indexOf(to);
    if (key >= 0) return pl.col(keys[key]!);
    const [l, r] = [plan.left, plan.right].map((values) => values.findIndex((one) => one.to === to)) as [
      number,
      number,
    ];
    const column = plan.foreign.includes(to) ? foreign[plan.foreign.indexOf(to)]! : l >= 0 ? lefts[l]! : rights[r]!;
    return pl
      .when(exists)
      .then(pl.col(column))
      .otherwise(pl.lit(null).cast(dtypeOf(plan.output[to]!)));
  };
  // a foreign key may be part of the left table's own: it is kept once
  const foreignApart = foreign.filter((_, i) => !plan.keys.includes(plan.foreign[i]!));
  const foreignOfLeft = plan.foreign.map((_, i) => plan.byForeign.key[i]!);
  const apart = foreignOfLeft.filter((_, i) => !plan.keys.includes(plan.foreign[i]!));
  return {
    keys,
    foreign,
    hasKeys: all(keys),
    hasForeign: all(foreign),
    hasLeft,
    exists,
    left: [
      ...renamed(plan.keys, keys),
      ...renamed(plan.foreign, foreign),
      ...renamed(from(plan.left), lefts),
      ...changed,
    ],
    right: [...renamed(plan.rightKeys, foreign), ...renamed(from(plan.right), rights), ...changed],
    place: columns([...keys, "§order", "_time"]),
    otherPlace: columns([...foreign, "§order", "_time"]),
    keysStored: renamed(keys, keyStored),
    foreignStored: renamed(foreign, foreignStored),
    toRight: renamed([...foreign, ...rights], [...foreignStored, ...stored(plan.right)]),
    fromRight: [
      ...renamed([...foreignStored, ...stored(plan.right)], [...foreign, ...rights]),
      pl.lit(true).alias("§has_right"),
    ],
    toLeft: [
      ...renamed([...keys, ...foreignApart, ...lefts], [...keyStored, ...apart, ...stored(plan.left)]),
      ...columns(origin),
    ],
    fromLeft: [
      ...renamed([...keyStored, ...foreignOfLeft, ...stored(plan.left)], [...keys, ...foreign, ...lefts]),
      ...columns(origin),
      pl.lit(true).alias("§has_left"),
    ],
    toByForeign: renamed([...foreign, ...keys], plan.byForeign.key),
    fromByForeign: renamed(plan.byForeign.key, [...foreign, ...keys]),
    had: [
      ...columns(keys),
      pl.lit(true).alias("§had"),
      ...renamed(
        origin,
        origin.map((name) => `§had${name}`),
      ),
    ],
    output: [
      ...Object.keys(plan.output)
        .filter((name) => !isMetadata(name))
        .map((name) => value(name).alias(name)),
      pl.col("_key").fillNull(pl.col("§had_key")).alias("_key"),
      pl.col("_time"),
      pl.col("_partition").fillNull(pl.col("§had_partition")).alias("_partition"),
      pl.col("_offset").fillNull(pl.col("§had_offset")).alias("_offset"),
      exists.not().alias("_delete"),
    ],
  };
}

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES`, `DUPLICATE_COLUMN` */
export function compileForeign(
  node: JoinTablesNode,
  left: Compiled,
  right: Compiled,
  storeName: (name: string) => string,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used" | "updating"> & { watermark: true } {
  const { leftOn, rightOn, suffix } = node;
  checkJoinKeys(leftOn, rightOn, left.schema, right.schema, "join");
  const keys = tableKeys(node.input)!;
  const values = ({ schema }: Compiled): string[] => Object.keys(schema).filter((name) => !isMetadata(name));
  const joined = joinedColumns(values(left), values(right), { left: [], right: rightOn }, suffix, "join");
  const taken = Object.keys(TRAVELLING);
  const own = joined.left.filter(({ from }) => !keys.includes(from) && !leftOn.includes(from));
  const leftColumns = [...new Set([...leftOn, ...keys, ...own.map(({ from }) => from)])];
  const leftNames = unique(leftColumns, taken);
  const storedOf = (name: string): string => leftNames[leftColumns.indexOf(name)]!;
  const [foreignStored, keyStored] = [leftOn.map(storedOf), keys.map(storedOf)];
  const keysBeside = keyStored.map((name) => (foreignStored.includes(name) ? `${name}_key` : name));
  const rightNames = unique([...rightOn, ...joined.right.map(({ from }) => from)], taken);
  const label = leftOn.join("_");
  const dtypes = (names: readonly string[], stored: readonly string[], { schema }: Compiled): Schema =>
    Object.fromEntries(names.map((name, i) => [stored[i]!, schema[name]!]));
  const [leftKept, rightKept] = [
    own.map((column) => ({ ...column, stored: storedOf(column.from) })),
    joined.right.map((column, i) => ({ ...column, stored: rightNames[rightOn.length + i]! })),
  ];
  const plan: ForeignPlan = {
    keys,
    foreign: leftOn,
    rightKeys: rightOn,
    left: leftKept,
    right: rightKept,
    inner: node.how === "inner",
    output: {
      ...Object.fromEntries(joined.left.map(({ from, to }) => [to, left.schema[from]!])),
      ...Object.fromEntries(joined.right.map(({ from, to }) => [to, right.schema[from]!])),
      ...TRAVELLING,
      _delete: "Boolean",
    },
    leftStore: {
      name: storeName(`tables_by_${label}_left`),
      key: keyStored,
      schema: {
        ...dtypes(keys, keyStored, left),
        ...dtypes(leftOn, foreignStored, left),
        ...dtypes(
          leftKept.map(({ from }) => from),
          leftKept.map(({ stored }) => stored),
          left,
        ),
        _key: "Utf8",
        _partition: "Int32",
        _offset: "Int64",
      },
    },
    byForeign: {
      name: storeName(`tables_by_${label}_foreign`),
      key: [...foreignStored, ...keysBeside],
      schema: {
        ...dtypes(leftOn, foreignStored, left),
        ...dtypes(keys, keysBeside, left),
      },
    },
    rightStore: {
      name: storeName(`tables_by_${label}_right`),
      key: rightNames.slice(0, rightOn.length),
      schema: {
        ...dtypes(rightOn, rightNames, right),
        ...dtypes(
          rightKept.map(({ from }) => from),
          rightKept.map(({ stored }) => stored),
          right,
        ),
      },
    },
  };
  const stores = [plan.leftStore, plan.byForeign, plan.rightStore];
  return {
    steps: [{ join: { stores, open: (openStore) => new ForeignJoin(plan, openStore) } }],
    schema: plan.output,
    lineage: left.lineage,
    updating: true,
    watermark: true,
    used: (_, input) =>
      new Set([
        ...(input === 0
          ? [...keys, ...leftOn, ...leftKept.map(({ from }) => from)]
          : [...rightOn, ...rightKept.map(({ from }) => from)]),
        ...Object.keys(TRAVELLING),
        "_delete",
      ]),
  };
}
