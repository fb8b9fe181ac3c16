import { notebookHost } from "../host.ts";
import type { PlanReader } from "./plan-reader.ts";

/** Notes for the cell's journal what was read so far; promotion replays it. */
export function recordReads(reader: PlanReader): void {
  const host = notebookHost();
  if (host === undefined) return;
  for (const [topic, ranges] of reader.ranges) {
    const byPartition = Object.fromEntries([...ranges].map(([partition, range]) => [String(partition), range]));
    host.recordRead({ topic, schema: reader.wireOf(topic), ranges: byPartition });
  }
}
