import pl from "nodejs-polars";
import type { KeyedStore, StoreSpec } from "../../state/store.ts";

/**
 * How far each source has been worked on, where several read one topic in orders of their own. The offset committed for the topic is that of the one that is
 * furthest behind; the others read its records again, and skip what is known from here.
 */
export const READ_STORE: StoreSpec = {
  name: "read",
  key: ["source", "topic"],
  schema: {
    source: "Utf8",
    topic: "Utf8",
    /** The first record that is not worked on. */
    offset: "Int64",
  },
};

export interface ReadPosition {
  readonly source: string;
  readonly topic: string;
  readonly offset: number;
}

export async function readPositions(store: KeyedStore): Promise<ReadPosition[]> {
  const rows = (await store.all()).select("source", "topic", pl.col("offset").cast(pl.Float64)).rows();
  return rows.map(([source, topic, offset]) => ({ source, topic, offset }) as ReadPosition);
}

export async function writePositions(store: KeyedStore, positions: readonly ReadPosition[]): Promise<void> {
  const texts = (name: "source" | "topic") =>
    pl.Series(
      name,
      positions.map((position) => position[name]),
      pl.Utf8,
    );
  const offsets = positions.map(({ offset }) => offset);
  await store.upsert(
    pl.DataFrame([texts("source"), texts("topic"), pl.Series("offset", offsets, pl.Float64).cast(pl.Int64)]),
  );
}
