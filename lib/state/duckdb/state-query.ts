import {
  type DuckDBConnection,
  DuckDBTimestampValue,
  type DuckDBValue,
  type Json,
  StatementType,
} from "@duckdb/node-api";
import { Refusal } from "../../error.ts";
import { hideCopies } from "./hide-copies.ts";

export interface StateQueryLimits {
  /** Rows returned at most; the rest is left out and said so. */
  readonly rows: number;
  /** Milliseconds. */
  readonly time: number;
}

export interface StateAnswer {
  readonly columns: readonly string[];
  /** DuckDB types. */
  readonly types: readonly string[];
  /** Cells as JSON: 64-bit integers beyond 2^53 as text. */
  readonly rows: readonly (readonly Json[])[];
  /** More rows than the limit. */
  readonly truncated: boolean;
}

export const STATE_LIMITS: StateQueryLimits = { rows: 10_000, time: 10_000 };

/** A value for a place (`$1`, `$2`, …) of a statement. As text with its DuckDB type, so that it passes through JSON unchanged; null is null. */
export interface SqlValue {
  readonly type: "VARCHAR" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "TIMESTAMP";
  readonly text: string | null;
}

/**
 * Answers one read-only statement, from one snapshot: the last checkpoint of the partitions that are worked on here.
 * @param values for `$1`, `$2`, …
 * @throws {Refusal} `NOT_READ_ONLY`, `BAD_SQL`, `STATE_QUERY_TOO_LONG`
 */
export async function queryState(
  connection: DuckDBConnection,
  sql: string,
  limits: StateQueryLimits = STATE_LIMITS,
  values: readonly SqlValue[] = [],
): Promise<StateAnswer> {
  await assertReadOnly(connection, sql);
  const timer = setTimeout(() => connection.interrupt(), limits.time);
  try {
    await connection.run("BEGIN TRANSACTION READ ONLY");
    await hideCopies(connection);
    const reader = await connection.streamAndReadUntil(sql, limits.rows + 1, values.map(bound));
    const types = reader.columnTypes().map(String);
    const rows = reader.getRowsJson();
    return {
      columns: reader.columnNames(),
      types,
      rows: rows.slice(0, limits.rows).map((row) => row.map((cell, i) => integer(cell, types[i] as string))),
      truncated: rows.length > limits.rows,
    };
  } catch (error) {
    const message = (error as Error).message;
    if (/interrupt/i.test(message)) {
      throw new Refusal({
        code: "STATE_QUERY_TOO_LONG",
        what: `The query did not end within ${limits.time / 1000} s.`,
        remedies: ["ask for less: a narrower WHERE, fewer joins"],
      });
    }
    throw badSql(message);
  } finally {
    clearTimeout(timer);
    await connection.run("ROLLBACK").catch(() => {});
  }
}

function bound({ type, text }: SqlValue): DuckDBValue {
  if (text === null || type === "VARCHAR") return text;
  switch (type) {
    case "BIGINT":
      return BigInt(text);
    case "DOUBLE":
      return Number(text);
    case "BOOLEAN":
      return text === "true";
    case "TIMESTAMP":
      return new DuckDBTimestampValue(BigInt(Date.parse(text)) * 1000n);
  }
}

async function assertReadOnly(connection: DuckDBConnection, sql: string): Promise<void> {
  const reading = [StatementType.SELECT, StatementType.EXPLAIN];
  let types: StatementType[];
  try {
    const statements = await connection.extractStatements(sql);
    types = [];
    for (let i = 0; i < statements.count; i++) types.push((await statements.prepare(i)).statementType);
  } catch (error) {
    throw badSql((error as Error).message);
  }
  if (types.length === 1 && reading.includes(types[0] as StatementType)) return;
  throw new Refusal({
    code: "NOT_READ_ONLY",
    what: types.length === 1 ? "Only reading is allowed here." : "One statement at a time is answered here.",
    remedies: ["ask with one SELECT; `SHOW TABLES` lists what there is"],
  });
}

const badSql = (message: string) =>
  new Refusal({ code: "BAD_SQL", what: message, remedies: ["`SHOW TABLES` and `DESCRIBE table` tell what there is"] });

function integer(cell: Json, type: string): Json {
  if (!/^U?(BIG|HUGE)INT$/.test(type) || typeof cell !== "string") return cell;
  const number = Number(cell);
  return Number.isSafeInteger(number) ? number : cell;
}
