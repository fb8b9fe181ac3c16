import type pl from "nodejs-polars";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import { updateKey } from "../../plan/update-key.ts";
import { stacked } from "../../polars/stacked.ts";

/**
 * The rows of a sink as two runs can be held against each other: of rows that are updates the last per key, since how many there are depends on how
 * records fell into batches; others as they are.
 * @param frames in the order of each key's rows
 */
export function settledRows(sink: SinkNode, frames: readonly pl.DataFrame[]): readonly pl.DataFrame[] {
  const key = updateKey(sink);
  const filled = frames.filter((frame) => frame.height > 0);
  if (!Array.isArray(key) || filled.length === 0 || key.some((name) => !filled[0]!.columns.includes(name)))
    return frames;
  const rows = stacked(filled);
  return [rows.unique({ subset: [...key], keep: "last", maintainOrder: true })];
}
