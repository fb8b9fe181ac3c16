import pl from "nodejs-polars";

/** Rows of one partition. */
export interface PartitionRows {
  readonly partition: number;
  readonly rows: pl.DataFrame;
}

/** Rows of several partitions, one after the other. */
export interface JoinedRows {
  readonly rows: pl.DataFrame;
  /** Int32, the partition of each row; named `_partition`. */
  readonly partitions: pl.Series;
}

/** Beyond this a file per partition costs little beside its rows, and a joined copy of them is memory. */
const MOST_ROWS = 100_000;

/**
 * The rows of several partitions in as few frames as are worth it: a checkpoint of small changes pays for each file and statement, not for its
 * rows. Partitions without rows are left out.
 */
export function joinedParts(parts: readonly PartitionRows[], mostRows = MOST_ROWS): JoinedRows[] {
  const groups: PartitionRows[][] = [];
  let height = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    if (part.rows.height === 0) continue;
    if (height + part.rows.height > mostRows) {
      groups.push([]);
      height = 0;
    }
    groups.at(-1)!.push(part);
    height += part.rows.height;
  }
  return groups.map((group) => ({
    rows: group.length === 1 ? group[0]!.rows : pl.concat(group.map(({ rows }) => rows)),
    partitions: partitionColumn(group),
  }));
}

function partitionColumn(group: readonly PartitionRows[]): pl.Series {
  const numbers = new Int32Array(group.reduce((sum, { rows }) => sum + rows.height, 0));
  let at = 0;
  for (const { partition, rows } of group) {
    numbers.fill(partition, at, at + rows.height);
    at += rows.height;
  }
  return pl.Series("_partition", numbers, pl.Int32);
}
