import { DuckDBInstance } from "@duckdb/node-api";

// Opens a state file for writing, as a second worker in the same folder would, and stays.
const instance = await DuckDBInstance.create(process.argv[2] as string);
console.error("held");
setInterval(() => instance, 60_000);
