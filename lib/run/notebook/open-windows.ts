import pl from "nodejs-polars";
import { shownColumns } from "../../plan/named-metadata.ts";
import { nodesOf, type PlanNode } from "../../plan/nodes/plan-node.ts";
import { emptyFrame } from "../../schema.ts";
import type { PlanReader, ReadRows } from "./plan-reader.ts";

/**
 * The rows that windows give which are open, with the event time at which they close, and how much event time their partition has to go until
 * then. The two are null where a row no longer has its `window_end`.
 */
export function openWindowsTable(node: PlanNode, reader: PlanReader, open: readonly ReadRows[]): pl.DataFrame {
  const grace = graceOf(node);
  const frames = open.map(({ task, rows }) => {
    const watermark = reader.watermarkOf(task);
    const known = grace !== undefined && rows.columns.includes("window_end");
    const closes = known ? pl.col("window_end").cast(pl.Int64).plus(pl.lit(grace)) : pl.lit(null).cast(pl.Int64);
    return rows.withColumns(
      closes.cast(pl.Datetime("ms")).alias("closes"),
      (known && !Number.isNaN(watermark) ? closes.minus(pl.lit(watermark)) : pl.lit(null))
        .cast(pl.Int64)
        .alias("waits"),
    );
  });
  const rows =
    frames.length === 0
      ? emptyFrame({ ...reader.terminal.schema, closes: "Datetime(ms)", waits: "Int64" })
      : pl.concat(frames);
  return rows.select(
    ...shownColumns(node, reader.terminal.schema === undefined ? [] : Object.keys(reader.terminal.schema)),
    "closes",
    "waits",
  );
}

/** How long the windows nearest to the end of the plan wait for late rows, ms. */
function graceOf(node: PlanNode): number | undefined {
  const windows = nodesOf([node]).findLast(({ kind }) => kind === "groupByDynamic" || kind === "groupBySession");
  return windows === undefined ? undefined : (windows as unknown as { grace: number }).grace;
}
