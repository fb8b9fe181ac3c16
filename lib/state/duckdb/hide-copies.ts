import type { DuckDBConnection } from "@duckdb/node-api";
import { quoted } from "./duck-types.ts";

/** Rows that count for SQL: those of partitions that stand at offsets. Copies for others and half-done restores do not. */
const COUNTS = "_partition IN (SELECT _partition FROM _millrace_offsets)";

/**
 * Makes tables show only rows of partitions that are worked on here, for as long as the transaction lasts that is open on this connection: views of
 * their names go before them. Where nothing is to be hidden nothing is made.
 */
export async function hideCopies(connection: DuckDBConnection): Promise<void> {
  const rows = async (sql: string) => (await connection.runAndReadAll(sql)).getRows() as unknown[][];
  const tables = await rows(
    "SELECT DISTINCT table_name FROM duckdb_columns() WHERE column_name = '_partition' AND schema_name = 'main' AND database_name = current_database()",
  );
  const names = tables.map(([name]) => name as string);
  if (!names.includes("_millrace_offsets")) return; // no job's file
  const stores = names.filter((name) => !name.startsWith("_millrace"));
  if (stores.length === 0) return;
  const some = stores.map((name) => `EXISTS (FROM ${quoted(name)} WHERE NOT (${COUNTS}))`).join(" OR ");
  const [[hidden, database]] = (await rows(`SELECT ${some}, current_database()`)) as [[boolean, string]];
  if (!hidden) return;
  for (const name of stores)
    await connection.run(
      `CREATE TEMP VIEW ${quoted(name)} AS FROM ${quoted(database)}.main.${quoted(name)} WHERE ${COUNTS}`,
    );
}
