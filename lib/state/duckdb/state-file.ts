import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api";
import pl from "nodejs-polars";
import { MillraceError } from "../../error.ts";
import type { Schema } from "../../schema.ts";
import type { ColdRows } from "../cold-rows.ts";
import { isThere, makeFolder } from "../folders.ts";
import type { Changes } from "../memory-store.ts";
import type { StoreSpec } from "../store.ts";
import { ColdReader, ColdTable } from "./cold-table.ts";
import { fromDuck, literal, quoted, toDuck } from "./duck-types.ts";
import { joinedParts, type PartitionRows } from "./joined-parts.ts";
import {
  FORMAT_VERSION,
  firstLine,
  folderTrouble,
  isLocked,
  refuseOthers,
  type StateOwner,
  whileLocked,
} from "./state-owner.ts";
import { type StateTable, stateTable } from "./state-table.ts";

/** Where a partition stands: everything that says what its rows stand for. */
export interface PartitionPosition {
  /** Source topic -> the next offset to read. None: the rows are a copy of what another worker keeps, as far as the changelog was read. */
  readonly offsets: Readonly<Record<string, number>>;
  /** Store -> an offset of its changelog partition up to which it is contained in the rows. */
  readonly changelog: Readonly<Record<string, number>>;
  /** Event time in ms; NaN before the first row. */
  readonly watermark: number;
  /** When it was written, in ms since the epoch. */
  readonly at: number;
}

/** What a checkpoint changes in one partition. */
export interface PartitionCheckpoint {
  readonly partition: number;
  /** Absent: the rows are not of one moment yet, and a process that opens the file meanwhile does not build upon them. */
  readonly position?: PartitionPosition;
  readonly changes: ReadonlyMap<string /* store */, Changes>;
  /** The changes are all there is: rows held before are dropped. */
  readonly whole?: boolean;
}

export interface StateFileOptions {
  readonly folder: string;
  readonly owner: StateOwner;
  readonly stores: readonly StoreSpec[];
  /** Bytes of memory that DuckDB may take; it works on disk beyond. */
  readonly memory?: number;
  readonly log?: (line: string) => void;
}

/** DuckDB joins and sorts in memory; with less than this it may not be able to. */
const LEAST_MEMORY = 192 * 2 ** 20;

/** Rows that tell how large others are. */
const SAMPLE = 100;

/**
 * The DuckDB file of one process: a table per store, with the rows of every partition it owns, and where each partition stands.
 * Rows travel between Polars and DuckDB as Parquet files in `transfer/`: columnar and native on both sides, quicker than the
 * appender at every size (docs/decisions). There is no index: a key column may be null, and a join finds changed keys as fast.
 */
export class StateFile {
  readonly file: string;
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;
  readonly #transfer: string;
  readonly #tables: ReadonlyMap<string, StateTable>;
  readonly #reader: ColdReader;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    file: string,
    transfer: string,
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    reader: ColdReader,
    tables: Map<string, StateTable>,
  ) {
    this.file = file;
    this.#transfer = transfer;
    this.#instance = instance;
    this.#connection = connection;
    this.#reader = reader;
    this.#tables = tables;
  }

  /**
   * Opens or creates the file. One that cannot be read is set aside under another name, with a line in the log.
   * One of another plan is begun anew, to be restored from the changelog.
   * @throws {Refusal} `STATE_OF_ANOTHER_JOB`, `STATE_FROM_NEWER_VERSION`
   * @throws {MillraceError} `STATE_FOLDER` when the folder cannot be written, `STATE_IN_USE` when another process has the file
   */
  static async open(options: StateFileOptions): Promise<StateFile> {
    const log = options.log ?? (() => {});
    const file = path.join(options.folder, "state.duckdb");
    const transfer = path.join(options.folder, "transfer");
    try {
      await makeFolder(options.folder);
    } catch (cause) {
      throw folderTrouble(options.folder, cause);
    }
    const existed = await holdsState(options.folder);
    const tables = new Map(options.stores.map((spec) => [spec.name, stateTable(spec)]));
    const open = () => StateFile.#open(file, transfer, tables, options);
    try {
      return await whileLocked(open);
    } catch (error) {
      if (error instanceof MillraceError) throw error;
      const message = (error as Error).message;
      if (!existed) throw folderTrouble(options.folder, error);
      if (isLocked(error)) {
        throw new MillraceError({
          code: "STATE_IN_USE",
          what: "Another process has the state file open.",
          where: file,
          remedies: ["stop the other worker", "or give this one a folder of its own: MILLRACE_STATE_DIR"],
          cause: error,
        });
      }
      if (/permission denied|read-only|no space|cannot open/i.test(message)) throw folderTrouble(options.folder, error);
      const aside = `${file}.unreadable-${new Date().toISOString().replaceAll(":", "-")}`;
      log(
        `state file cannot be read, set aside as ${aside}; state is rebuilt from the changelog (${firstLine(message)})`,
      );
      await rename(file, aside);
      await rename(`${file}.wal`, `${aside}.wal`).catch(() => {});
      return await open();
    }
  }

  static async #open(
    file: string,
    transfer: string,
    tables: Map<string, StateTable>,
    { owner, memory }: StateFileOptions,
  ): Promise<StateFile> {
    const instance = await DuckDBInstance.create(file, {
      threads: "2",
      ...(memory !== undefined && { memory_limit: `${Math.max(LEAST_MEMORY, memory)}B` }),
      preserve_insertion_order: "false",
      // what is freed goes back to the system soon, and not only by the 128 MiB
      allocator_flush_threshold: "16MiB",
      allocator_background_threads: "true",
      enable_external_file_cache: "false", // transfer files are written again and again under one name
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    try {
      // not before the file is ours: another worker may be at work in this folder
      await rm(transfer, { recursive: true, force: true });
      await mkdir(transfer);
    } catch (cause) {
      instance.closeSync();
      throw folderTrouble(path.dirname(file), cause);
    }
    try {
      const connection = await instance.connect();
      // SQL of others is answered from this process: it may touch no other file
      await connection.run(`SET allowed_directories = [${literal(transfer)}]`);
      await connection.run("SET enable_external_access = false");
      await connection.run("SET lock_configuration = true");
      const reader = new ColdReader(await instance.connect(), transfer);
      const opened = new StateFile(file, transfer, instance, connection, reader, tables);
      await opened.#prepare(owner);
      return opened;
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  async #prepare(owner: StateOwner): Promise<void> {
    await this.#transaction(async () => {
      await this.#run("CREATE TABLE IF NOT EXISTS _millrace (name VARCHAR NOT NULL, value VARCHAR NOT NULL)");
      await this.#run(
        "CREATE TABLE IF NOT EXISTS _millrace_offsets (_partition INTEGER NOT NULL, topic VARCHAR NOT NULL, next_offset BIGINT NOT NULL)",
      );
      await this.#run(
        "CREATE TABLE IF NOT EXISTS _millrace_changelog (_partition INTEGER NOT NULL, store VARCHAR NOT NULL, position BIGINT NOT NULL)",
      );
      await this.#run(
        "CREATE TABLE IF NOT EXISTS _millrace_partitions (_partition INTEGER NOT NULL, watermark TIMESTAMP, checkpoint_at TIMESTAMP NOT NULL)",
      );
      const about = Object.fromEntries(await this.#rows("SELECT name, value FROM _millrace")) as Record<string, string>;
      const wanted = { format: String(FORMAT_VERSION), job: owner.job, fingerprint: owner.fingerprint };
      if (about.format === undefined) {
        for (const [name, value] of Object.entries(wanted))
          await this.#run(`INSERT INTO _millrace VALUES (${literal(name)}, ${literal(value)})`);
      } else {
        refuseOthers(about, owner, this.file);
        if (about.fingerprint !== owner.fingerprint) await this.#beginAnew(owner.fingerprint);
      }
      for (const table of this.#tables.values()) await this.#run(table.create);
    });
    // reads every block once, so that a damaged one shows now and not in the middle of a run
    for (const table of this.#tables.values()) await this.#run(`SELECT bit_xor(hash(t)) FROM ${table.name} t`);
  }

  /** The state of another plan goes: what a changed plan goes on from is in the changelogs, and is restored from there. */
  async #beginAnew(fingerprint: string): Promise<void> {
    const tables = await this.#rows(
      "SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' AND table_name NOT LIKE '\\_millrace%' ESCAPE '\\'",
    );
    for (const [name] of tables) await this.#run(`DROP TABLE ${quoted(name as string)}`);
    for (const positions of ["_millrace_offsets", "_millrace_changelog", "_millrace_partitions"])
      await this.#run(`DELETE FROM ${positions}`);
    await this.#run(`UPDATE _millrace SET value = ${literal(fingerprint)} WHERE name = 'fingerprint'`);
  }

  /** Where the partitions in this file stand. */
  async positions(): Promise<Map<number, PartitionPosition>> {
    const known = new Map<number, { -readonly [K in keyof PartitionPosition]: PartitionPosition[K] }>();
    const partitions = await this.#rows(
      "SELECT _partition, epoch_us(watermark), epoch_us(checkpoint_at) FROM _millrace_partitions",
    );
    for (const [partition, watermark, at] of partitions) {
      const ms = (us: unknown) => (us === null ? Number.NaN : Number(us) / 1000);
      known.set(Number(partition), { offsets: {}, changelog: {}, watermark: ms(watermark), at: ms(at) });
    }
    for (const [partition, topic, next] of await this.#rows("SELECT * FROM _millrace_offsets"))
      Object.assign(known.get(Number(partition))?.offsets ?? {}, { [topic as string]: Number(next) });
    for (const [partition, store, position] of await this.#rows("SELECT * FROM _millrace_changelog"))
      Object.assign(known.get(Number(partition))?.changelog ?? {}, { [store as string]: Number(position) });
    return known;
  }

  /** The rows of one partition of a store, as of the last checkpoint. */
  async load(store: string, partition: number): Promise<pl.DataFrame> {
    const table = this.#table(store);
    const file = path.join(this.#transfer, "load.parquet");
    return await this.#exclusively(async () => {
      await this.#run(
        `COPY (${selectRows(table, partition)}) TO ${literal(file)} (FORMAT parquet, COMPRESSION uncompressed)`,
      );
      return fromDuck(pl.readParquet(file), table.spec.schema);
    });
  }

  /** How many rows a partition of a store has, as of the last checkpoint. */
  async count(store: string, partition: number): Promise<number> {
    const sql = `SELECT count(*) FROM ${this.#table(store).name} WHERE _partition = ${partition}`;
    return (await this.#reader.number(sql)) ?? 0;
  }

  /** Some of these rows, for what they are like. */
  async sample(store: string, partition: number): Promise<pl.DataFrame> {
    const table = this.#table(store);
    return await this.#reader.rows(`${selectRows(table, partition)} LIMIT ${SAMPLE}`, table.spec.schema);
  }

  /** The rows of one partition of a store, to be read as they are needed; while a checkpoint is being written, those of the one before. */
  cold(store: string, partition: number): ColdRows {
    return new ColdTable(this.#reader, this.#table(store), partition);
  }

  /**
   * One transaction: rows and positions of these partitions advance together or not at all.
   * @throws {MillraceError} `STATE_FOLDER` when it cannot be written
   */
  async commit(checkpoints: readonly PartitionCheckpoint[]): Promise<void> {
    await this.#transaction(async () => {
      for (const { partition, whole } of checkpoints) if (whole) await this.#forget([partition]);
      for (const store of new Set(checkpoints.flatMap(({ changes }) => [...changes.keys()])))
        await this.#apply(this.#table(store), checkpoints);
      await this.#forgetPositions(checkpoints.map(({ partition }) => partition));
      for (const { partition, position } of checkpoints)
        if (position !== undefined) await this.#place(partition, position);
    }).catch((error) => {
      throw folderTrouble(path.dirname(this.file), error);
    });
  }

  /** Drops what is held of a partition. */
  async drop(partition: number): Promise<void> {
    await this.#transaction(() => this.#forget([partition]));
  }

  /** What is held of a partition is a copy from now on: another worker goes on with it. SQL does not see it any more. */
  async setAside(partition: number): Promise<void> {
    await this.#transaction(() => this.#run(`DELETE FROM _millrace_offsets WHERE _partition = ${partition}`));
  }

  /** A connection of its own for reading: it sees the last checkpoint. */
  async connect(): Promise<DuckDBConnection> {
    return await this.#instance.connect();
  }

  async close(): Promise<void> {
    await this.#turn.catch(() => {});
    await this.#reader.close();
    this.#connection.closeSync();
    this.#instance.closeSync();
    await rm(this.#transfer, { recursive: true, force: true }).catch(() => {});
  }

  async #apply(table: StateTable, checkpoints: readonly PartitionCheckpoint[]): Promise<void> {
    const replaced: PartitionRows[] = [];
    const written: PartitionRows[] = [];
    for (const { partition, changes, whole } of checkpoints) {
      const change = changes.get(table.spec.name);
      if (change === undefined) continue;
      const { upserted, removed } = change;
      const keys = table.spec.key;
      if (!whole) replaced.push({ partition, rows: pl.concat([upserted.select(...keys), removed.select(...keys)]) });
      written.push({ partition, rows: upserted });
    }
    const same = ["t._partition = n._partition"];
    table.key.forEach((column, i) => void same.push(`t.${column} IS NOT DISTINCT FROM n.c${i}`));
    const keys = this.#write("keys", replaced, table.keySchema);
    if (keys !== undefined)
      await this.#run(`DELETE FROM ${table.name} t USING read_parquet(${keys}) n WHERE ${same.join(" AND ")}`);
    const columns = table.columns.map((_, i) => `c${i}`).join(", ");
    const rows = this.#write("rows", written, table.spec.schema);
    if (rows !== undefined)
      await this.#run(
        `INSERT INTO ${table.name} (_partition, ${table.columns.join(", ")}) SELECT _partition, ${columns} FROM read_parquet(${rows})`,
      );
  }

  /** Writes Parquet files for the next statement, one after the other: of many rows only some are copied at a time. Gives their names as a list; undefined without rows. */
  #write(name: string, parts: readonly PartitionRows[], schema: Schema): string | undefined {
    const files = joinedParts(parts).map(({ rows, partitions }, i) => {
      const file = path.join(this.#transfer, `${name}-${i}.parquet`);
      beside(toDuck(rows, schema), partitions).writeParquet(file, { compression: "uncompressed" });
      return literal(file);
    });
    return files.length === 0 ? undefined : `[${files.join(", ")}]`;
  }

  async #forget(partitions: readonly number[]): Promise<void> {
    for (const table of this.#tables.values())
      await this.#run(`DELETE FROM ${table.name} WHERE _partition IN (${partitions.join(", ")})`);
    await this.#forgetPositions(partitions);
  }

  async #forgetPositions(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return;
    for (const table of ["offsets", "changelog", "partitions"])
      await this.#run(`DELETE FROM _millrace_${table} WHERE _partition IN (${partitions.join(", ")})`);
  }

  async #place(partition: number, { offsets, changelog, watermark, at }: PartitionPosition): Promise<void> {
    const time = (ms: number) => (Number.isNaN(ms) ? "NULL" : `make_timestamp(${Math.round(ms * 1000)})`);
    for (const [topic, next] of Object.entries(offsets))
      await this.#run(`INSERT INTO _millrace_offsets VALUES (${partition}, ${literal(topic)}, ${next})`);
    for (const [store, position] of Object.entries(changelog))
      await this.#run(`INSERT INTO _millrace_changelog VALUES (${partition}, ${literal(store)}, ${position})`);
    await this.#run(`INSERT INTO _millrace_partitions VALUES (${partition}, ${time(watermark)}, ${time(at)})`);
  }

  #table(store: string): StateTable {
    const table = this.#tables.get(store);
    if (table === undefined) throw new TypeError(`${store} is not a store of this plan`);
    return table;
  }

  async #run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  async #rows(sql: string): Promise<unknown[][]> {
    return (await this.#connection.runAndReadAll(sql)).getRows();
  }

  /** One user of the connection and of the transfer files at a time. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.catch(() => {}).then(work);
    this.#turn = turn;
    return await turn;
  }

  async #transaction(work: () => Promise<void>): Promise<void> {
    await this.#exclusively(async () => {
      await this.#run("BEGIN");
      try {
        await work();
        await this.#run("COMMIT");
      } catch (error) {
        await this.#run("ROLLBACK").catch(() => {}); // a failed COMMIT has rolled back by itself
        throw error;
      }
    });
  }
}

/** Whether a folder holds a state file. */
export async function holdsState(folder: string): Promise<boolean> {
  return await isThere(path.join(folder, "state.duckdb"));
}

/** The rows of a partition, with columns `c0`, `c1`, … */
function selectRows({ name, columns }: StateTable, partition: number): string {
  return `SELECT ${columns.map((column, i) => `${column} AS c${i}`).join(", ")} FROM ${name} WHERE _partition = ${partition}`;
}

const beside = (rows: pl.DataFrame, column: pl.Series) => rows.hstack([column]) as unknown as pl.DataFrame;
