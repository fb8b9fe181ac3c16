import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { Schema } from "../schema.ts";
import type { Compiled } from "./compile.ts";

/** @throws Refusal `UNKNOWN_COLUMN`, `KEY_DTYPES` where keys that are compared have different dtypes */
export function checkJoinKeys(
  leftOn: readonly string[],
  rightOn: readonly string[],
  left: Schema,
  right: Schema,
  where: string,
): void {
  checkColumns(leftOn, left, `${where}: left keys`);
  checkColumns(rightOn, right, `${where}: right keys`);
  for (const [i, name] of leftOn.entries()) {
    const [a, b] = [left[name]!, right[rightOn[i]!]!];
    if (a === b) continue;
    throw new Refusal({
      code: "KEY_DTYPES",
      what: `keys of different dtypes are never equal: "${name}" is ${a}, "${rightOn[i]}" is ${b}`,
      where,
      remedies: [
        "give both topics a schema in which they agree: topic(…, { schema })",
        "cast one of them before the join: .withColumns(pl.col(…).cast(…)), if it is not what rows are placed by",
      ],
    });
  }
}

/** @throws Refusal `UNKNOWN_COLUMN`, `NOT_EVENT_TIME` */
export function checkEventTime(column: string, { schema, lineage }: Compiled, where: string): void {
  checkColumns([column], schema, where);
  if (lineage.time.has(column) && schema[column] === "Datetime(ms)") return;
  const named = [...lineage.time].find((name) => !isMetadata(name));
  throw new Refusal({
    code: "NOT_EVENT_TIME",
    what: `"${column}" is not the event time of these rows, by which the two sides are read together`,
    where,
    remedies: [`use "${named ?? "_time"}"`, `say which column holds it: topic(…, { time: "${column}" })`],
  });
}
