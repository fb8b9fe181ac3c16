import type { Schema } from "../../schema.ts";
import { parseDType } from "../dtype-tree.ts";
import type { StoreSpec } from "../store.ts";
import { duckType, quoted } from "./duck-types.ts";

/** The DuckDB table behind a store: its columns by their own names, and `_partition`. */
export interface StateTable {
  readonly spec: StoreSpec;
  /** Quoted. */
  readonly name: string;
  /** Quoted, in the order of the schema. DuckDB's names ignore case: of two that differ only in it, the second gets a number. */
  readonly columns: readonly string[];
  readonly key: readonly string[];
  readonly keySchema: Schema;
  readonly create: string;
}

export function stateTable(spec: StoreSpec): StateTable {
  const taken = new Set(["_partition"]);
  const columns = Object.keys(spec.schema).map((column) => {
    let name = column;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${column}_${n}`;
    taken.add(name.toLowerCase());
    return quoted(name);
  });
  const dtypes = Object.values(spec.schema);
  const definitions = columns.map((column, i) => `${column} ${duckType(parseDType(dtypes[i] as string))}`);
  const names = Object.keys(spec.schema);
  return {
    spec,
    name: quoted(spec.name),
    columns,
    key: spec.key.map((column) => columns[names.indexOf(column)] as string),
    keySchema: Object.fromEntries(spec.key.map((column) => [column, spec.schema[column] as string])),
    create: `CREATE TABLE IF NOT EXISTS ${quoted(spec.name)} (_partition INTEGER NOT NULL, ${definitions.join(", ")})`,
  };
}
