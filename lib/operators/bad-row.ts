import pl from "nodejs-polars";
import type { BatchContext } from "./operator.ts";

/** Takes note of the rows at these places of a batch as bad ones. Rows of windows and timers are no record's: their offset is -1. */
export function noteBad(context: BatchContext, batch: pl.DataFrame, places: readonly number[], reason: string): void {
  const present = batch.columns.includes("_offset");
  for (const place of places) {
    const row = batch.slice(place, 1);
    const offset = present ? pl.col("_offset").fillNull(pl.lit(-1)) : pl.lit(-1);
    context.bad(row.select(pl.col("_partition"), offset.cast(pl.Int64).alias("_offset")), reason);
  }
}

/** What code threw, in one phrase. */
export function reasonOf(verb: string, error: unknown): string {
  const text =
    error instanceof Error ? `${error.name === "Error" ? "" : `${error.name}: `}${error.message}` : String(error);
  return `${verb}: ${text}`;
}
