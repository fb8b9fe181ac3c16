/** What `import … from "millrace"` gives; reached through `index.ts`, which makes Polars fast first. */
import { setDriver } from "./frame/index.ts";
import { notebookDriver } from "./run/notebook/driver.ts";

// a notebook or any Node program; a job puts its own driver in place
setDriver(notebookDriver());

export { MillraceError, Refusal, type Trouble } from "./error.ts";
export { concat, FileSink, param, Sink, StaticTable, StreamFrame, table, topic } from "./frame/index.ts";
export { pl } from "./plan/pl.ts";
export { type Sql, type SqlOptions, type SqlTag, sql } from "./run/sql/sql.ts";
export type { DTypeName, Schema } from "./schema.ts";
