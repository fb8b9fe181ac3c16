import type pl from "nodejs-polars";
import { Refusal } from "../../error.ts";
import { queryState, STATE_LIMITS, type StateAnswer } from "../../state/duckdb/state-query.ts";
import { type Question, readState } from "../job/read-state.ts";
import { hasSessionTables, sessionConnection } from "../notebook/files/session-tables.ts";
import { answerFrame } from "./answer-frame.ts";
import { type SqlParameter, sqlText } from "./sql-text.ts";

/** Where `sql` reads, and how much. */
export interface SqlOptions {
  /** A job's folder, its state folder, or the URL of a running job; without it the tables of this session (`.toTable(name).run()`). */
  readonly job?: string;
  /** Of a job with several workers on its machine (`--workers`): whose state, from 0 on. */
  readonly worker?: number;
  /** Of a job that is not on this machine; `MILLRACE_STATE_TOKEN` by default. */
  readonly token?: string;
  /** Rows at most, 10,000 by default; more are a refusal, not a cut. A running job answers up to 100,000. */
  readonly rows?: number;
  /** Milliseconds at most, 10,000 by default and, of a running job, at most. */
  readonly timeout?: number;
}

/** Reads by SQL: to be put before a template. Values in `${…}` are parameters, never text of the statement. */
export type SqlTag = (texts: TemplateStringsArray, ...parameters: SqlParameter[]) => Promise<pl.DataFrame>;

/** The tag {@link sql}, with ways to say where it reads. */
export interface Sql extends SqlTag {
  (options: SqlOptions): SqlTag;
  /** Of a job: its folder, its state folder, or the URL of a running one. */
  of(job: string): SqlTag;
}

/**
 * Reads state by SQL (DuckDB's), one statement that only reads: of this session's `.toTable`s, or of a job as of its last checkpoint, while it runs or
 * after.
 * @returns a frame: TIMESTAMP as `Datetime(us)`, DECIMAL as `Float64`; lists and structs as JSON text
 * @throws Refusal `BAD_SQL`, `NOT_READ_ONLY`, `NO_STATE`, `TOO_MANY_ROWS`, `STATE_QUERY_TOO_LONG`; MillraceError `OWNER_UNREACHABLE`
 * @example
 * await sql`SELECT device, n FROM counts WHERE n > ${100}`
 * await sql.of("jobs/crash-alerts")`SHOW TABLES`
 * await sql({ job: "http://127.0.0.1:8080", rows: 50_000 })`SELECT * FROM counts WHERE device IN ${["a", "b"]}`
 */
export const sql: Sql = Object.assign(
  ((first: TemplateStringsArray | SqlOptions, ...parameters: SqlParameter[]) =>
    isTemplate(first)
      ? answer({}, first, parameters)
      : (texts: TemplateStringsArray, ...given: SqlParameter[]) => answer(first, texts, given)) as SqlTag &
    ((options: SqlOptions) => SqlTag),
  {
    of:
      (job: string): SqlTag =>
      (texts, ...parameters) =>
        answer({ job }, texts, parameters),
  },
);

const isTemplate = (first: unknown): first is TemplateStringsArray => Array.isArray(first) && "raw" in first;

async function answer(
  { job, worker, token, rows = STATE_LIMITS.rows, timeout = STATE_LIMITS.time }: SqlOptions,
  texts: TemplateStringsArray,
  parameters: readonly SqlParameter[],
): Promise<pl.DataFrame> {
  if (!isTemplate(texts))
    throw new Refusal({
      code: "BAD_SQL",
      what: "sql stands before a template, it is not called.",
      where: "sql",
      remedies: ["await sql`SELECT …`", "await sql.of(folder)`SELECT …`"],
    });
  const { sql, values } = sqlText(texts, parameters);
  const limits = { rows, time: timeout };
  const given =
    job === undefined
      ? await askSession({ sql, values, limits })
      : await readState(job, sql, token, {
          values,
          limits,
          ...(worker !== undefined && { worker }),
        });
  if (!given.truncated) return answerFrame(given);
  throw new Refusal({
    code: "TOO_MANY_ROWS",
    what: `The answer has more than ${given.rows.length} rows.`,
    where: "sql",
    remedies: ["ask for less: WHERE, GROUP BY, LIMIT", `or allow more: sql({ rows: ${rows * 10}, … })`],
  });
}

async function askSession({ sql, values, limits }: Question): Promise<StateAnswer> {
  if (!hasSessionTables())
    throw new Refusal({
      code: "NO_STATE",
      what: "This session has no tables yet.",
      where: "sql",
      remedies: ['make one: await frame.toTable("name").run()', "or ask a job: sql.of(folderOrUrl)`SELECT …`"],
    });
  const connection = await sessionConnection();
  try {
    return await queryState(connection, sql, limits, values);
  } finally {
    connection.closeSync();
  }
}
