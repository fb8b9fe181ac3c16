import { Refusal } from "../error.ts";
import type { Schema } from "../schema.ts";
import { dtypeOf } from "../schema.ts";

/**
 * Checks the schema of rows that code gives.
 * @throws Refusal `NO_SCHEMA` without one, `BAD_SCHEMA` for dtypes that code cannot give; MillraceError `UNKNOWN_DTYPE`
 */
export function checkGiven(schema: Schema | undefined, verb: string, example: string): Schema {
  if (schema === undefined || schema === null || typeof schema !== "object" || Array.isArray(schema))
    throw new Refusal({
      code: "NO_SCHEMA",
      what: `which columns ${verb} gives, and of which dtypes, is not known`,
      where: verb,
      remedies: [`say so: ${example}`],
    });
  for (const [name, dtype] of Object.entries(schema)) {
    if (typeof dtype === "string" && !/Categorical|Binary|Object|Decimal|Null|\bTime\b|FixedSizeList/.test(dtype)) {
      dtypeOf(dtype);
      continue;
    }
    throw new Refusal({
      code: "BAD_SCHEMA",
      what: `code cannot give a column "${name}" of dtype ${dtype}`,
      where: verb,
      remedies: [
        "give numbers (Float64, Int64, …), Utf8, Boolean, Date, Datetime(ms), Duration(ms), List(…) or Struct{…}",
      ],
    });
  }
  return Object.freeze({ ...schema });
}
