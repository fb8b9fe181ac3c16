import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { ToTableNode } from "../plan/nodes/to-table-node.ts";
import type { KeyedStore, OpenStore, StoreSpec } from "../state/store.ts";
import type { Compiled } from "./compile.ts";
import { columns } from "./exprs.ts";
import type { BatchContext, Operator } from "./operator.ts";

/** Numbers the rows of a table without a key, per partition from 0. */
const ROW = "_row";

/**
 * A table of state: rows go in, by key or numbered, and on as they are.
 * @throws Refusal `UNKNOWN_COLUMN`, `EMPTY_VALUE`, `NO_TABLE` (the name is that of other state)
 */
export function compileToTable(
  { name, key }: ToTableNode,
  input: Compiled,
  claim: (name: string) => boolean,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> {
  const where = `toTable("${name}")`;
  const values = Object.keys(input.schema).filter((column) => !isMetadata(column));
  checkColumns(key ?? [], input.schema, where);
  if (values.length === 0)
    throw new Refusal({ code: "EMPTY_VALUE", what: "no column is left to keep", where, remedies: ["keep a column"] });
  if (!claim(name) || name.toLowerCase().startsWith("_millrace"))
    throw new Refusal({
      code: "NO_TABLE",
      what: `the name ${name} is not free: other state of the program has it`,
      where,
      remedies: ["choose another name", "two tables of one name: give each its own, or concat their rows"],
    });
  const schema = Object.fromEntries(values.map((column) => [column, input.schema[column]!]));
  const store: StoreSpec =
    key === undefined ? { name, key: [ROW], schema: { [ROW]: "Int64", ...schema } } : { name, key, schema };
  const open = (openStore: OpenStore): Operator =>
    key === undefined ? new AllRows(openStore(store), values) : new LastRows(openStore(store), values, key);
  return {
    steps: [{ operator: { stores: [store], open } }],
    schema: input.schema,
    lineage: input.lineage,
    used: (wanted) => new Set([...wanted, ...values]),
  };
}

/** The last row of each key. */
class LastRows implements Operator {
  readonly #store: KeyedStore;
  readonly #values: readonly string[];
  readonly #key: string[];
  readonly #last: pl.Expr[];

  constructor(store: KeyedStore, values: readonly string[], key: readonly string[]) {
    this.#store = store;
    this.#values = values;
    this.#key = [...key];
    this.#last = values.filter((name) => !key.includes(name)).map((name) => pl.col(name).last());
  }

  async process(batch: pl.DataFrame, { commit }: BatchContext): Promise<pl.DataFrame> {
    if (commit && batch.height > 0) {
      const rows = batch.select(...columns(this.#values)).groupBy(this.#key);
      const last = this.#last.length === 0 ? rows.agg(pl.len().alias("§len")) : rows.agg(...this.#last);
      await this.#store.upsert(last.select(...columns(this.#values)));
    }
    return batch;
  }
}

/** Every row, in order. */
class AllRows implements Operator {
  readonly #store: KeyedStore;
  readonly #values: readonly string[];

  constructor(store: KeyedStore, values: readonly string[]) {
    this.#store = store;
    this.#values = values;
  }

  async process(batch: pl.DataFrame, { commit }: BatchContext): Promise<pl.DataFrame> {
    if (commit && batch.height > 0) {
      // none is ever removed
      const next = this.#store.size;
      const row = pl
        .intRange(next, next + batch.height)
        .cast(pl.Int64)
        .alias(ROW);
      await this.#store.upsert(batch.select(row, ...columns(this.#values)));
    }
    return batch;
  }
}
