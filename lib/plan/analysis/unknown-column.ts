import { Refusal } from "../../error.ts";
import type { Schema } from "../../schema.ts";
import { isMetadata } from "../metadata.ts";

/** @throws Refusal `UNKNOWN_COLUMN` with the nearest name, where a column is not in the schema */
export function checkColumns(names: Iterable<string>, schema: Schema, where: string): void {
  for (const name of names) {
    if (Object.hasOwn(schema, name)) continue;
    throw new Refusal({
      code: "UNKNOWN_COLUMN",
      what: `there is no column "${name}" here`,
      where,
      remedies: columnRemedies(name, Object.keys(schema)),
    });
  }
}

/** What a name that is none of `names` may have meant, and what there is. */
export function columnRemedies(name: string, names: readonly string[]): string[] {
  const columns = names.filter((column) => !isMetadata(column));
  const [nearest] = columns
    .map((column) => ({ column, distance: distance(column.toLowerCase(), name.toLowerCase()) }))
    .filter(({ column, distance }) => distance <= Math.max(2, Math.ceil(Math.max(column.length, name.length) / 3)))
    .sort((a, b) => a.distance - b.distance);
  const shown = columns.slice(0, MOST).map((column) => `"${column}"`);
  const more = columns.length > MOST ? ` and ${columns.length - MOST} more` : "";
  return [
    ...(nearest ? [`did you mean "${nearest.column}"?`] : []),
    `the columns are ${shown.join(", ") || "none"}${more}`,
  ];
}

/** Columns named in a message. */
const MOST = 40;

/** Levenshtein distance, two rows at a time. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
