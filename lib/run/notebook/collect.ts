import type pl from "nodejs-polars";
import type { CollectOptions } from "../../frame/driver.ts";
import type { PlanNode } from "../../plan/nodes/plan-node.ts";
import { emptyFrame } from "../../schema.ts";
import { mergeRows } from "./merge-rows.ts";
import { shownColumns } from "./named-metadata.ts";
import { readBounded } from "./read-bounded.ts";
import type { Session } from "./session.ts";

/**
 * The rows of a bounded range, by default from the earliest record to the end as of now. Rows of one partition are in the order of the
 * stream; partitions are merged by event time. With `until` a number, the first so many of the rows that were read up to then.
 */
export async function collect(session: Session, node: PlanNode, options: CollectOptions): Promise<pl.DataFrame> {
  const byTask = new Map<string, pl.DataFrame[]>();
  const reader = await readBounded(session, node, { ...options, shows: true, what: "reading" }, (rows) => {
    for (const { task, rows: frame } of rows) {
      const frames = byTask.get(task);
      if (frames === undefined) byTask.set(task, [frame]);
      else frames.push(frame);
    }
  });
  const empty = emptyFrame(reader.terminal.schema);
  const ordered = reader.taskNames.flatMap((task) => (byTask.has(task) ? [byTask.get(task)!] : []));
  const merged = mergeRows(ordered, empty);
  const shown = merged.select(...shownColumns(node, merged.columns));
  return reader.bound.rows === undefined ? shown : shown.head(reader.bound.rows);
}
