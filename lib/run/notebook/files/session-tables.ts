import { mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import type pl from "nodejs-polars";
import type { Schema } from "../../../schema.ts";
import { literal, quoted, toDuck } from "../../../state/duckdb/duck-types.ts";
import { stateTable } from "../../../state/duckdb/state-table.ts";
import { sessionFile } from "../../sql/session-file.ts";

let opened: Promise<DuckDBInstance> | undefined;

/** Whether this process has written a table. */
export const hasSessionTables = (): boolean => opened !== undefined;

/** A connection to this process's own tables; to be closed. */
export async function sessionConnection(): Promise<DuckDBConnection> {
  opened ??= DuckDBInstance.create(sessionFile(), { threads: "2" });
  return await (await opened).connect();
}

/** A table of the session being written: appended to, or with a key one row for each of its values. A batch is in it whole or not at all. */
export class SessionTable {
  readonly #connection: DuckDBConnection;
  readonly #name: string;
  readonly #schema: Schema;
  readonly #key: readonly string[] | undefined;

  private constructor(connection: DuckDBConnection, name: string, schema: Schema, key: readonly string[] | undefined) {
    this.#connection = connection;
    this.#name = name;
    this.#schema = schema;
    this.#key = key;
  }

  /** Takes the place of the table of this name. */
  static async create(name: string, schema: Schema, key: readonly string[] | undefined): Promise<SessionTable> {
    const connection = await sessionConnection();
    const { create } = stateTable({ name, key: [], schema });
    await connection.run(
      create
        .replace("CREATE TABLE IF NOT EXISTS", "CREATE OR REPLACE TABLE")
        .replace("_partition INTEGER NOT NULL, ", ""),
    );
    return new SessionTable(connection, name, schema, key);
  }

  async write(rows: pl.DataFrame): Promise<void> {
    if (rows.height === 0) return;
    const key = this.#key;
    const last = key === undefined ? rows : rows.unique({ subset: [...key], keep: "last", maintainOrder: true });
    const folder = await mkdtemp(path.join(path.dirname(sessionFile()), "rows-"));
    try {
      const file = path.join(folder, "rows.parquet");
      toDuck(last, this.#schema).writeParquet(file);
      const table = quoted(this.#name);
      const written = `read_parquet(${literal(file)})`;
      await this.#connection.run("BEGIN");
      try {
        if (key !== undefined) {
          const names = Object.keys(this.#schema);
          const { columns } = stateTable({ name: this.#name, key: [], schema: this.#schema });
          const same = key.map((name) => {
            const i = names.indexOf(name);
            return `${table}.${columns[i]} IS NOT DISTINCT FROM new.c${i}`;
          });
          await this.#connection.run(`DELETE FROM ${table} USING ${written} AS new WHERE ${same.join(" AND ")}`);
        }
        await this.#connection.run(`INSERT INTO ${table} SELECT * FROM ${written}`);
        await this.#connection.run("COMMIT");
      } catch (error) {
        await this.#connection.run("ROLLBACK").catch(() => {});
        throw error;
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  close(): void {
    this.#connection.closeSync();
  }
}
