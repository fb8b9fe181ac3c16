import pl from "nodejs-polars";
import { stacked } from "../../polars/stacked.ts";

/**
 * The order of rows of several partitions: by event time, then by partition, so that it does not depend on how they were fetched. Rows of
 * one partition keep their order even where their event times do not rise: each is placed by the largest event time up to it.
 */
export class RowOrder {
  readonly #taskNumbers: ReadonlyMap<string, number>;
  /** Where each task is: the largest event time so far, ms, and the number of rows. */
  readonly #at = new Map<string, { place: number; turn: number }>();

  /** @param tasks names of all tasks, in the order that breaks ties */
  constructor(tasks: readonly string[]) {
    this.#taskNumbers = new Map(tasks.map((task, i) => [task, i]));
  }

  /** The rows with their place, in columns that {@link ordered} takes off again. Batches of a task come in order. */
  placed(task: string, rows: pl.DataFrame): pl.DataFrame {
    const { place, turn } = this.#at.get(task) ?? { place: Number.MIN_SAFE_INTEGER, turn: 0 };
    const time = rows.columns.includes("_time")
      ? pl.col("_time").cast(pl.Int64).cumMax().fillNull("forward")
      : pl.lit(place);
    const before = pl.lit(place).cast(pl.Int64);
    const withPlace = rows.withColumns(
      pl.when(time.gt(before)).then(time).otherwise(before).cast(pl.Int64).alias(PLACE),
      pl.lit(this.#taskNumbers.get(task)!).cast(pl.Int32).alias(TASK),
      pl.Series(
        TURN,
        Float64Array.from({ length: rows.height }, (_, i) => turn + i),
      ),
    );
    const last = withPlace.select(pl.col(PLACE).last().cast(pl.Float64)).getColumn(PLACE).get(0) as number;
    this.#at.set(task, { place: last, turn: turn + rows.height });
    return withPlace;
  }
}

/** Placed rows in their order, still with their places. */
export function sorted(frames: readonly pl.DataFrame[]): pl.DataFrame {
  return stacked(frames).sort([PLACE, TASK, TURN]);
}

export const withoutPlaces = (rows: pl.DataFrame): pl.DataFrame => rows.drop(PLACE, TASK, TURN);

const PLACE = "\u0000place";
const TASK = "\u0000task";
const TURN = "\u0000turn";
