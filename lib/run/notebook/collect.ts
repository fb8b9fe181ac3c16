import type pl from "nodejs-polars";
import type { CollectOptions } from "../../frame/driver.ts";
import { shownColumns } from "../../plan/named-metadata.ts";
import type { PlanNode } from "../../plan/nodes/plan-node.ts";
import { emptyFrame } from "../../schema.ts";
import { readBounded } from "./read-bounded.ts";
import { recordShown } from "./record-shown.ts";
import { RowOrder, sorted, withoutPlaces } from "./row-order.ts";
import type { Session } from "./session.ts";

/**
 * The rows of a bounded range, by default from the earliest record to the end as of now. Rows of one partition are in the order of the
 * stream; partitions are merged by event time. With `until` a number, the first so many of the rows that were read up to then.
 */
export async function collect(session: Session, node: PlanNode, options: CollectOptions): Promise<pl.DataFrame> {
  const placed: pl.DataFrame[] = [];
  let order: RowOrder | undefined;
  const reader = await readBounded(
    session,
    node,
    { ...options, shows: true, what: "reading" },
    (batch, { taskNames }) => {
      order ??= new RowOrder(taskNames);
      for (const { task, rows } of batch) placed.push(order.placed(task, rows));
    },
  );
  const rows = placed.length === 0 ? emptyFrame(reader.terminal.schema) : withoutPlaces(sorted(placed));
  const shown = rows.select(...shownColumns(node, rows.columns));
  if (!options.final) recordShown(reader, node.kind === "sink" ? node.input : node, shown);
  return reader.bound.rows === undefined ? shown : shown.head(reader.bound.rows);
}
