import { notebookHost } from "../host.ts";
import type { PlanReader } from "./plan-reader.ts";

/** Notes for the cell's journal what was read so far; promotion replays it. */
export function recordReads(reader: PlanReader): void {
  const host = notebookHost();
  if (host === undefined) return;
  const { records, stateRows } = reader.counts;
  // a live read waits for records, which tells nothing of what they cost
  const cost = reader.bound.ends && { records, milliseconds: reader.milliseconds, stateRows };
  for (const [topic, ranges] of reader.ranges) {
    const byPartition = Object.fromEntries([...ranges].map(([partition, range]) => [String(partition), range]));
    host.recordRead({ topic, schema: reader.wireOf(topic), ranges: byPartition, ...(cost && { cost }) });
  }
}
