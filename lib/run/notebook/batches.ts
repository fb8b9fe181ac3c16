import type pl from "nodejs-polars";
import type { BatchesOptions } from "../../frame/driver.ts";
import { shownColumns } from "../../plan/named-metadata.ts";
import type { PlanNode } from "../../plan/nodes/plan-node.ts";
import { notebookHost } from "../host.ts";
import { MODES } from "../modes.ts";
import { PlanReader } from "./plan-reader.ts";
import { Quiet } from "./quiet.ts";
import { recordReads } from "./record-reads.ts";
import type { Session } from "./session.ts";

/**
 * Rows as they arrive, one frame per partition and answer of a broker. Without `until` it goes on with the topic until the loop is left or
 * the cell is interrupted; with it, it ends there. Starts at the earliest record.
 */
export async function* batches(
  session: Session,
  node: PlanNode,
  options: BatchesOptions,
): AsyncGenerator<pl.DataFrame, void, void> {
  const signals = [options.signal, notebookHost()?.cell()?.signal].filter((signal) => signal !== undefined);
  const aborted = () => signals.some((signal) => signal.aborted);
  const reader = await PlanReader.open(session, node, {
    from: options.from ?? MODES.notebook.start.bounded,
    until: options.until,
    bounded: options.until !== undefined,
    shows: true,
  });
  try {
    const { rows: most = Number.POSITIVE_INFINITY, duration = Number.POSITIVE_INFINITY } = reader.bound;
    const end = performance.now() + duration;
    const host = notebookHost();
    const quiet = host?.headless && Number.isFinite(most) ? new Quiet(host.liveFor) : undefined;
    let given = 0;
    while (!aborted() && !reader.done && given < most && performance.now() < end) {
      for (const { rows } of await reader.next(200)) {
        const left = most - given;
        if (left <= 0) break;
        const frame = rows.height > left ? rows.head(left) : rows;
        given += frame.height;
        yield frame.select(...shownColumns(node, frame.columns));
      }
      if (given < most) quiet?.check(most, reader.counts);
    }
  } finally {
    recordReads(reader);
    await reader.close();
  }
}
