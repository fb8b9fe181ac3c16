import type { ReadRecord } from "../../lib/run/host.ts";
import type { Schema } from "../../lib/schema.ts";
import type { CodeCell, Execution } from "./notebook.ts";

/** topic -> partition -> [first offset, offset after the last] */
export type Ranges = Readonly<Record<string, Readonly<Record<string, readonly [number, number]>>>>;

/** A replay is to be quick and its files small: at most the last so many records of a partition. */
export const SAMPLE_LIMIT = 10_000;

/** What the notebook read, by its journal: the schema each topic had, and the ranges, bounded to the last {@link SAMPLE_LIMIT} records. */
export function recordedReads(cells: readonly CodeCell[]): {
  schemas: Map<string, Schema>;
  ranges: Ranges;
  /** The ranges as they were read, not bounded. */
  all: Ranges;
} {
  const schemas = new Map<string, Schema>();
  const ranges: Record<string, Record<string, readonly [number, number]>> = {};
  const executions = cells.map((cell) => cell.execution).filter((execution) => execution !== undefined);
  for (const execution of executions.toSorted((a, b) => a.seq - b.seq)) {
    for (const read of execution.reads) {
      schemas.set(read.topic, inOrder(read));
      const known = ranges[read.topic] ?? {};
      ranges[read.topic] = known;
      for (const [partition, [from, to]] of Object.entries(read.ranges)) {
        const [low, high] = known[partition] ?? [from, to];
        known[partition] = [Math.min(low, from), Math.max(high, to)];
      }
    }
  }
  const bounded = Object.entries(ranges).map(([topic, partitions]) => [
    topic,
    Object.fromEntries(
      Object.entries(partitions).map(([partition, [from, to]]) => [partition, [Math.max(from, to - SAMPLE_LIMIT), to]]),
    ),
  ]);
  return { schemas, ranges: Object.fromEntries(bounded) as Ranges, all: ranges };
}

/** A saved notebook has the keys of its objects sorted; `columns` has the order in which the schema was read. */
function inOrder(read: Execution["reads"][number] | ReadRecord): Schema {
  const columns = "columns" in read ? read.columns : Object.keys(read.schema);
  return Object.fromEntries(columns.map((name) => [name, read.schema[name]!]));
}
