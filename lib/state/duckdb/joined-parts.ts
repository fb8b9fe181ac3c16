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

/** Beyond this a file costs little beside its rows, and a copy of them is memory. */
const MOST_ROWS = 100_000;

/**
 * The rows of several partitions in frames of about the same size: a checkpoint of small changes pays for each file and statement, not for its
 * rows, and a large one is copied bit by bit. Partitions without rows are left out.
 */
export function joinedParts(parts: readonly PartitionRows[], mostRows = MOST_ROWS): JoinedRows[] {
  const groups: PartitionRows[][] = [];
  let height = Number.POSITIVE_INFINITY;
  for (const part of parts.flatMap((one) => slices(one, mostRows))) {
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

function slices({ partition, rows }: PartitionRows, mostRows: number): PartitionRows[] {
  if (rows.height <= mostRows) return rows.height === 0 ? [] : [{ partition, rows }];
  return Array.from({ length: Math.ceil(rows.height / mostRows) }, (_, i) => ({
    partition,
    rows: rows.slice(i * mostRows, mostRows),
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
