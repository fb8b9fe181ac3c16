import { rm } from "node:fs/promises";
import path from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";
import pl from "nodejs-polars";
import { emptyFrame, type Schema } from "../../schema.ts";
import type { ColdRows } from "../cold-rows.ts";
import { fromDuck, literal, toDuck } from "./duck-types.ts";
import { folderTrouble } from "./state-owner.ts";
import type { StateTable } from "./state-table.ts";

/** A connection for reading beside the one that saves, and a folder for the files that rows travel in; one user at a time. */
export class ColdReader {
  readonly #connection: DuckDBConnection;
  readonly #transfer: string;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(connection: DuckDBConnection, transfer: string) {
    this.#connection = connection;
    this.#transfer = transfer;
  }

  /** The rows that a SELECT gives, with columns `c0`, `c1`, …; `$keys` in it is a table of `keys`, if there are any. */
  async rows(select: string, schema: Schema, keys?: pl.DataFrame): Promise<pl.DataFrame> {
    return await this.#exclusively(async () => {
      const [asked, answer] = ["cold-keys", "cold-rows"].map((name) =>
        path.join(this.#transfer, `${name}.parquet`),
      ) as [string, string];
      keys?.writeParquet(asked, { compression: "uncompressed" });
      const sql = select.replace("$keys", `read_parquet(${literal(asked)})`);
      await this.#connection.run(`COPY (${sql}) TO ${literal(answer)} (FORMAT parquet, COMPRESSION uncompressed)`);
      const rows = fromDuck(pl.readParquet(answer), schema);
      await rm(answer, { force: true });
      return rows;
    });
  }

  async number(select: string): Promise<number | undefined> {
    return await this.#exclusively(async () => {
      const [[value]] = (await this.#connection.runAndReadAll(select)).getRows() as [[unknown]];
      return value === null ? undefined : Number(value);
    });
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {});
    this.#connection.closeSync();
  }

  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn
      .catch(() => {})
      .then(work)
      .catch((error) => {
        throw folderTrouble(path.dirname(this.#transfer), error);
      });
    this.#turn = turn;
    return await turn;
  }
}

/** The saved rows of one store and partition, found by a join that reads the key columns only. */
export class ColdTable implements ColdRows {
  readonly #reader: ColdReader;
  readonly #table: StateTable;
  readonly #from: string;
  readonly #columns: string;

  constructor(reader: ColdReader, table: StateTable, partition: number) {
    this.#reader = reader;
    this.#table = table;
    this.#from = `FROM ${table.name} t WHERE t._partition = ${partition}`;
    this.#columns = table.columns.map((column, i) => `t.${column} AS c${i}`).join(", ");
  }

  async lookup(keys: pl.DataFrame): Promise<pl.DataFrame> {
    return await this.scan(keys);
  }

  async scan(keys: pl.DataFrame, above?: { readonly column: string; readonly bound: number }): Promise<pl.DataFrame> {
    const { spec, key, keySchema } = this.#table;
    if (keys.height === 0) return emptyFrame(spec.schema);
    const given = spec.key.filter((name) => keys.columns.includes(name));
    const same = given.map((name, i) => `t.${key[spec.key.indexOf(name)]} IS NOT DISTINCT FROM n.c${i}`);
    if (above !== undefined) {
      const number = this.#number(above.column);
      same.push(`(${number} > ${above.bound} OR ${number} IS NULL)`);
    }
    const select = `SELECT ${this.#columns} ${this.#from.replace(" WHERE", ", $keys n WHERE")} AND ${same.join(" AND ")}`;
    const schema = Object.fromEntries(given.map((name) => [name, keySchema[name] as string]));
    return await this.#reader.rows(select, spec.schema, toDuck(keys, schema));
  }

  async upTo(column: string, bound: number): Promise<pl.DataFrame> {
    const reached = `${this.#number(column)} <= ${bound}`;
    return await this.#reader.rows(`SELECT ${this.#columns} ${this.#from} AND ${reached}`, this.#table.spec.schema);
  }

  async min(column: string, floor: number): Promise<number | undefined> {
    const number = this.#number(column);
    const above = floor === Number.NEGATIVE_INFINITY ? "" : ` AND ${number} > ${floor}`;
    return await this.#reader.number(`SELECT min(${number}) ${this.#from}${above}`);
  }

  async all(): Promise<pl.DataFrame> {
    return await this.#reader.rows(`SELECT ${this.#columns} ${this.#from}`, this.#table.spec.schema);
  }

  /** The column as a number, a datetime or duration as its milliseconds. */
  #number(column: string): string {
    const { spec, columns } = this.#table;
    const name = `t.${columns[Object.keys(spec.schema).indexOf(column)]}`;
    const [, kind, unit] = /^(Datetime|Duration)\((ms|us|ns)\)$/.exec(spec.schema[column] as string) ?? [];
    if (kind === undefined) return name;
    if (kind === "Datetime") return unit === "ns" ? `epoch_ns(${name}) / 1e6` : `epoch_us(${name}) / 1e3`;
    return `${name} / ${{ ms: 1, us: 1e3, ns: 1e6 }[unit as "ms"]}`;
  }
}
