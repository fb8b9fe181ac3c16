import pl from "nodejs-polars";

/**
 * Rows of several partitions as one frame, in an order that does not depend on how they were fetched: by event time, then by partition.
 * Rows of one partition keep their order even where their event times do not rise: each is placed by the largest event time
 * up to it. `frames` are in the order in which their rows came; frames of one task belong together.
 */
export function mergeRows(byTask: Iterable<readonly pl.DataFrame[]>, empty: pl.DataFrame): pl.DataFrame {
  const parts: pl.DataFrame[] = [];
  for (const frames of byTask) {
    const rows = frames.filter((frame) => frame.height > 0);
    if (rows.length === 0) continue;
    parts.push(placed(rows.length === 1 ? rows[0]! : pl.concat(rows), parts.length));
  }
  if (parts.length === 0) return empty;
  const all = parts.length === 1 ? parts[0]! : pl.concat(parts);
  const ordered =
    parts.length === 1 ? all : all.sort([pl.col(PLACE), pl.col(TASK), pl.col(TURN)], [false, false, false] as never);
  return ordered.drop(PLACE, TASK, TURN);
}

const PLACE = "\u0000place";
const TASK = "\u0000task";
const TURN = "\u0000turn";

function placed(rows: pl.DataFrame, task: number): pl.DataFrame {
  const turn = pl.Series(
    TURN,
    Int32Array.from({ length: rows.height }, (_, i) => i),
  );
  const time = rows.columns.includes("_time")
    ? pl.col("_time").cast(pl.Int64).cumMax().fillNull("forward")
    : pl.lit(0).cast(pl.Int64);
  return rows.withColumns(turn).withColumns(time.alias(PLACE), pl.lit(task).cast(pl.Int32).alias(TASK));
}
