import pl from "nodejs-polars";
import type { KeyedStore, StoreSpec } from "../../state/store.ts";

/**
 * How far a task has worked on what others sent it. The offset committed for a repartition topic is that of the first record that waits, of
 * whichever sender; records of the others after it are read again, and what is known from here is skipped.
 */
export const PLACED_STORE: StoreSpec = {
  name: "placed",
  key: ["input", "sender"],
  schema: {
    input: "Utf8",
    sender: "Int32",
    /** The first record of the sender that is not worked on, or after the last. */
    offset: "Int64",
    /** How many rows of it are. (A column named as a method of DataFrame, such as `row`, would hide it.) */
    rows_done: "Int64",
    /** No row of a smaller `_order` comes from there on. */
    reached: "Int64",
    /** The next offsets of the sender's sources when it said that nobody has to wait for it; null while it is to be waited for. */
    over: "Utf8",
  },
};

export interface PlacedPosition {
  readonly input: string;
  readonly sender: number;
  readonly offset: number;
  readonly row: number;
  /** NaN while nothing is known. */
  readonly reached: number;
  readonly over: string | undefined;
}

export async function readPlaced(store: KeyedStore): Promise<PlacedPosition[]> {
  const all = await store.all();
  return all
    .select(
      "input",
      "sender",
      pl.col("offset").cast(pl.Float64),
      pl.col("rows_done").cast(pl.Float64),
      pl.col("reached").cast(pl.Float64),
      "over",
    )
    .rows()
    .map(([input, sender, offset, row, reached, over]) => ({
      input: input as string,
      sender: sender as number,
      offset: offset as number,
      row: row as number,
      reached: (reached as number | null) ?? Number.NaN,
      over: (over as string | null) ?? undefined,
    }));
}

export async function writePlaced(store: KeyedStore, positions: readonly PlacedPosition[]): Promise<void> {
  if (positions.length === 0) return;
  const numbers = (name: "sender" | "offset" | "row" | "reached", dtype: pl.DataType, column: string = name) =>
    pl
      .Series(
        column,
        positions.map((position) => (Number.isNaN(position[name]) ? null : position[name])),
        pl.Float64,
      )
      .cast(dtype);
  await store.upsert(
    pl.DataFrame([
      pl.Series(
        "input",
        positions.map(({ input }) => input),
        pl.Utf8,
      ),
      numbers("sender", pl.Int32),
      numbers("offset", pl.Int64),
      numbers("row", pl.Int64, "rows_done"),
      numbers("reached", pl.Int64),
      pl.Series(
        "over",
        positions.map(({ over }) => over ?? null),
        pl.Utf8,
      ),
    ]),
  );
}
