import { Refusal } from "../error.ts";
import { checkColumns } from "../plan/analysis/unknown-column.ts";
import { isMetadata } from "../plan/metadata.ts";
import type { Compiled } from "./compile.ts";

/**
 * Checks that a column is the event time of these rows, by which windows close, and gives how far it lags behind `_time`, in ms: the start of a
 * window by its length.
 * @throws Refusal `NOT_EVENT_TIME`, `UNKNOWN_COLUMN`
 */
export function checkTime(
  { indexColumn }: { readonly indexColumn: string },
  { schema, lineage, windowed }: Compiled,
  verb: string,
): number {
  checkColumns([indexColumn], schema, `${verb}: indexColumn`);
  if (lineage.time.has(indexColumn) && schema[indexColumn] === "Datetime(ms)")
    return lineage.lags?.get(indexColumn) ?? 0;
  const known = [...lineage.time].filter((name) => Object.hasOwn(schema, name));
  const named = known.filter((name) => !isMetadata(name));
  throw new Refusal({
    code: "NOT_EVENT_TIME",
    what: `"${indexColumn}" is not the event time of these rows, by which windows close`,
    where: `${verb}: indexColumn`,
    remedies: [
      ...(named.length === 0 ? [] : [`use indexColumn: ${named.map((name) => `"${name}"`).join(" or ")}`]),
      ...(windowed ? [] : [`say which column holds it: topic(…, { time: "${indexColumn}" })`]),
      windowed
        ? 'use the last millisecond of the windows: indexColumn: "_time"'
        : 'use the record\'s own time: indexColumn: "_time"',
    ],
  });
}

/** How far the rows of an input lag behind the watermark by this column of event time, in ms. */
export function delayAt({ indexColumn }: { readonly indexColumn: string }, { delay, lineage }: Compiled): number {
  return delay + (lineage.lags?.get(indexColumn) ?? 0);
}
