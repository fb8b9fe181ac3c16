import { Refusal } from "../../error.ts";
import type { SqlValue } from "../../state/duckdb/state-query.ts";

/** What may stand in `${…}` of a statement; a list stands for `(a, b, …)`, as in `WHERE device IN ${devices}`. */
export type SqlParameter = SqlScalar | readonly SqlScalar[];
export type SqlScalar = string | number | bigint | boolean | Date | null | undefined;

/** A statement with places (`$1`, …), and what goes there: values are never part of its text. @throws Refusal `BAD_SQL` */
export function sqlText(
  texts: readonly string[],
  parameters: readonly SqlParameter[],
): { readonly sql: string; readonly values: readonly SqlValue[] } {
  const values: SqlValue[] = [];
  const place = (value: SqlScalar, number: number) => {
    values.push(sqlValue(value, number));
    return `$${values.length}`;
  };
  const places = parameters.map((parameter, i) => {
    if (!Array.isArray(parameter)) return place(parameter as SqlScalar, i + 1);
    // nothing is in an empty list, which SQL cannot write
    return parameter.length === 0
      ? "(SELECT NULL WHERE false)"
      : `(${parameter.map((one) => place(one, i + 1)).join(", ")})`;
  });
  return { sql: texts.map((text, i) => (i === 0 ? text : places[i - 1] + text)).join(""), values };
}

function sqlValue(value: SqlScalar, number: number): SqlValue {
  if (value === null || value === undefined) return { type: "VARCHAR", text: null };
  if (typeof value === "string") return { type: "VARCHAR", text: value };
  if (typeof value === "boolean") return { type: "BOOLEAN", text: String(value) };
  if (typeof value === "bigint" && BigInt.asIntN(64, value) === value) return { type: "BIGINT", text: String(value) };
  if (typeof value === "number")
    return { type: Number.isSafeInteger(value) ? "BIGINT" : "DOUBLE", text: String(value) };
  if (value instanceof Date && !Number.isNaN(value.getTime())) return { type: "TIMESTAMP", text: value.toISOString() };
  throw new Refusal({
    code: "BAD_SQL",
    what: `The value number ${number} is none that a statement takes (${typeof value}).`,
    where: "sql",
    remedies: ["give text, a number, a 64-bit bigint, a boolean, a valid Date, null, or a list of these"],
  });
}
