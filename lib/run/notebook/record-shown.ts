import type pl from "nodejs-polars";
import { formatOf } from "../../format/index.ts";
import { givenParams } from "../../frame/param.ts";
import { planKey } from "../../plan/content-key.ts";
import { isMetadata } from "../../plan/metadata.ts";
import { nodesOf, type PlanNode } from "../../plan/nodes/plan-node.ts";
import { updateKey } from "../../plan/update-key.ts";
import { notebookHost } from "../host.ts";
import { shownDigest } from "../replay/shown-digest.ts";
import type { PlanReader } from "./plan-reader.ts";

/** More rows than that are not taken a digest of, ms matter to whoever waits for them. */
const MOST_ROWS = 20_000;

/**
 * Notes for the cell's journal what a bounded read showed, so that promotion can tell whether the job makes the same of the same records. Only rows that are
 * settled: the range was read to its end, and none replaces another or depends on when a table is read.
 */
export function recordShown(reader: PlanReader, node: PlanNode, frame: pl.DataFrame): void {
  const host = notebookHost();
  if (host?.recordShown === undefined || !reader.done || reader.bound.rows !== undefined) return;
  if (frame.height > MOST_ROWS || updateKey(node) !== "none") return;
  if (nodesOf([node]).some((part) => "latest" in part && part.latest)) return;
  const columns = frame.columns.filter((name) => !isMetadata(name));
  let texts: string[];
  try {
    const { bytes, starts, ends } = formatOf("json").encode(frame, columns, "shown");
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    texts = Array.from(starts, (start, row) => all.toString("utf8", start, ends[row]));
  } catch {
    return; // a dtype that JSON has no form for: no sink of it could be compared
  }
  const ranges = [...reader.ranges].map(([topic, partitions]) => [topic, Object.fromEntries(partitions)] as const);
  host.recordShown({
    plan: planKey(node),
    ranges: Object.fromEntries(ranges),
    ...shownDigest(texts),
    given: Object.fromEntries(givenParams()),
  });
}
