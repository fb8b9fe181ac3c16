import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A program: writes a table of a DuckDB file to stdout, as Parquet. Arguments: DuckDB's module, the file, the table. */
const [module, file, table] = process.argv.slice(2) as [string, string, string];
const { DuckDBInstance } = (await import(pathToFileURL(module).href)) as typeof import("@duckdb/node-api");
const folder = mkdtempSync(join(tmpdir(), "millrace-table-"));
try {
  const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" });
  const connection = await instance.connect();
  const out = join(folder, "rows.parquet");
  const name = table
    .split(".")
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join(".");
  await connection.run(`copy (select * from ${name}) to '${out.replaceAll("'", "''")}' (format parquet)`);
  connection.closeSync();
  process.stdout.write(readFileSync(out));
} catch (error) {
  process.stderr.write(`${(error as Error).message.split("\n")[0]}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
