import pl from "nodejs-polars";
import { partitionOf } from "../../log/murmur2.ts";
import { EVERYWHERE, PLACE } from "../../operators/repartition.ts";
import { keyColumn } from "../sink/key-column.ts";

const TARGET = "\u0000target";

/**
 * Rows that a task sends on, by the partition they go to: that of the text in `_place`, as Java's default partitioner places a record of that key;
 * 0 where it is null; all of them where it is {@link EVERYWHERE}. Order is kept; `_place` is taken off.
 */
export function placeRows(rows: pl.DataFrame, partitions: number): Map<number, pl.DataFrame> {
  const kept = rows.drop(PLACE);
  if (rows.height === 0) return new Map();
  if (partitions === 1) return new Map([[0, kept]]);
  if (rows.getColumn(PLACE).get(0) === EVERYWHERE)
    return new Map(Array.from({ length: partitions }, (_, target) => [target, kept]));
  const keys = keyColumn(rows, PLACE);
  const targets = new Int32Array(rows.height);
  const sizes = new Uint32Array(partitions);
  for (let row = 0; row < targets.length; row++) {
    const target = keys.nulls?.[row] ? 0 : partitionOf(partitions, keys.bytes, keys.starts[row]!, keys.ends[row]!);
    targets[row] = target;
    sizes[target]!++;
  }
  const sorted = (kept.hstack([pl.Series(TARGET, targets)] as never) as unknown as pl.DataFrame)
    .lazy()
    .sort(TARGET, false, false, true)
    .collectSync()
    .drop(TARGET);
  const placed = new Map<number, pl.DataFrame>();
  let start = 0;
  for (const [target, size] of sizes.entries()) {
    if (size > 0) placed.set(target, sorted.slice(start, size));
    start += size;
  }
  return placed;
}
