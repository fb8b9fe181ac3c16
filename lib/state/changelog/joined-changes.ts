import pl from "nodejs-polars";
import type { Changes } from "../memory-store.ts";
import type { StoreSpec } from "../store.ts";

/** The key was removed. */
const REMOVED = -1;

/** Changes that followed each other, as one: the last word on every key. Each key is looked at once, however many changes there were. */
export function joinedChanges(spec: StoreSpec, all: readonly Changes[]): Changes {
  if (all.length === 1) return all[0]!;
  let at = "_at"; // a row's place among all upserted
  while (at in spec.schema) at += "_";
  const keysAt = (rows: pl.DataFrame, places: Int32Array) =>
    rows.select(...spec.key).hstack([pl.Series(at, places, pl.Int32)]) as unknown as pl.DataFrame;
  const words: pl.DataFrame[] = [];
  let count = 0;
  for (const { upserted, removed } of all) {
    const first = count;
    words.push(
      keysAt(
        upserted,
        Int32Array.from({ length: upserted.height }, (_, i) => first + i),
      ),
    );
    words.push(keysAt(removed, new Int32Array(removed.height).fill(REMOVED)));
    count += upserted.height;
  }
  const last = pl.concat(words).unique({ subset: [...spec.key], keep: "last", maintainOrder: true }) as pl.DataFrame;
  const kept = new Array<boolean>(count).fill(false);
  for (const place of last.getColumn(at).toArray() as number[]) if (place !== REMOVED) kept[place] = true;
  return {
    upserted: pl.concat(all.map(({ upserted }) => upserted)).filter(pl.Series("kept", kept, pl.Bool) as never),
    removed: last.filter(pl.col(at).eq(pl.lit(REMOVED))).select(...spec.key),
  };
}
