import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { keepRows, rowsOf } from "../plan/static-rows.ts";
import { type Schema, schemaOf } from "../schema.ts";

export interface StaticTableOptions {
  /** The column or columns by which rows are looked up; then they must be unique and not null. */
  readonly key?: string | readonly string[];
  /** Of a DuckDB file: which table or view. */
  readonly table?: string;
}

/** Rows that do not change, loaded once: for lookups with `join`. */
export class StaticTable {
  /** Equal for equal rows; part of the plan's fingerprint. */
  readonly digest: string;
  /** `frame`, or the file they came from. */
  readonly origin: string;
  /** Names and dtypes of its columns. */
  readonly schema: Schema;

  constructor(rows: pl.DataFrame, origin: string) {
    this.digest = keepRows(rows);
    this.origin = origin;
    this.schema = schemaOf(rows);
    Object.freeze(this);
  }

  /** The rows. */
  get df(): pl.DataFrame {
    return rowsOf(this.digest);
  }
}

const FILES = [".parquet", ".csv", ".duckdb"];

/** Whether a name is that of a file of rows, not of a topic. */
export function isFile(name: string): boolean {
  return FILES.includes(extname(name).toLowerCase());
}

/** The files that were loaded as tables, as the program named them: a promoted job needs a copy of each. */
export function tableFiles(): readonly { readonly name: string; readonly path: string }[] {
  return [...files.values()];
}

const files = new Map<string, { name: string; path: string }>();

/** @throws Refusal `NO_FILE`, `NO_TABLE`, `NOT_UNIQUE`, `UNKNOWN_COLUMN` */
export function staticTable(source: pl.DataFrame | string, options: StaticTableOptions = {}): StaticTable {
  const origin = typeof source === "string" ? basename(source) : "frame";
  const rows = typeof source === "string" ? readFile(source, options) : source;
  const key = options.key === undefined ? [] : [options.key].flat();
  for (const name of key)
    if (!rows.columns.includes(name))
      throw new Refusal({
        code: "UNKNOWN_COLUMN",
        what: `the table has no column "${name}" to look rows up by`,
        where: `table(${origin})`,
        remedies: [`its columns are ${rows.columns.map((column) => `"${column}"`).join(", ")}`],
      });
  if (key.length > 0) {
    const complete = rows.filter(key.map((name) => pl.col(name).isNotNull()).reduce((all, one) => all.and(one)));
    const distinct = complete.select(...key).unique().height;
    if (distinct < rows.height)
      throw new Refusal({
        code: "NOT_UNIQUE",
        what: `${rows.height - distinct} of ${rows.height} rows repeat a key or have none: ${key.join(", ")} does not tell rows apart`,
        where: `table(${origin})`,
        remedies: [
          `keep one of each: frame.unique({ subset: ${JSON.stringify(key)}, keep: "last" })`,
          "leave `key` out where a row of the stream may find several",
        ],
      });
  }
  return new StaticTable(rows, origin);
}

/** Relative to the working directory, which is the notebook's folder, or else to that of the program: a job may be started from anywhere. */
function pathOf(name: string): string {
  const path = resolve(process.cwd(), name);
  const beside = resolve(dirname(process.argv[1] ?? "."), name);
  return isAbsolute(name) || existsSync(path) || !existsSync(beside) ? path : beside;
}

function readFile(name: string, { table }: StaticTableOptions): pl.DataFrame {
  const path = pathOf(name);
  if (!existsSync(path))
    throw new Refusal({
      code: "NO_FILE",
      what: `there is no file ${name}`,
      where: `table("${name}")`,
      remedies: ["name it relative to the folder of the notebook", "a job: beside its main.ts"],
    });
  files.set(name, { name, path });
  switch (extname(name).toLowerCase()) {
    case ".parquet":
      return pl.readParquet(path);
    case ".csv":
      return pl.readCSV(path, { tryParseDates: true });
    default:
      return readDuckDB(path, name, table);
  }
}

/** DuckDB answers by promise only, and a table is loaded where it is named: a process of its own reads it, as Parquet. */
function readDuckDB(path: string, name: string, table: string | undefined): pl.DataFrame {
  if (table === undefined)
    throw new Refusal({
      code: "NO_TABLE",
      what: `${name} is a DuckDB file, and which of its tables is not said`,
      where: `table("${name}")`,
      remedies: [`table("${name}", { table: "devices" })`],
    });
  const duckdb = createRequire(import.meta.url).resolve("@duckdb/node-api");
  const script = fileURLToPath(new URL(`./read-duckdb${extname(import.meta.url)}`, import.meta.url));
  try {
    const args = [script, duckdb, path, table];
    return pl.readParquet(
      execFileSync(process.execPath, args, { maxBuffer: 2 ** 31 - 1, stdio: ["ignore", "pipe", "pipe"] }),
    );
  } catch (error) {
    const said = String((error as { stderr?: Buffer }).stderr ?? error).trim();
    throw new Refusal({
      code: "NO_TABLE",
      what: `${name}: ${said.split("\n").at(-1)}`,
      where: `table("${name}", { table: "${table}" })`,
      remedies: ["name a table or view of that file", "close the program that has the file open for writing"],
    });
  }
}
