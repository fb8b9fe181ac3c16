import pl from "nodejs-polars";
import type { Changes } from "../memory-store.ts";
import type { StoreSpec } from "../store.ts";

/** Changes that followed each other, as one: the last word on every key. */
export function joinedChanges(spec: StoreSpec, all: readonly Changes[]): Changes {
  if (all.length === 1) return all[0]!;
  const on = [...spec.key];
  const without = (rows: pl.DataFrame, later: pl.DataFrame) =>
    rows.height === 0 || later.height === 0 ? rows : rows.join(later, { on, nullsEqual: true, how: "anti" });
  const upserts: pl.DataFrame[] = [];
  const removals: pl.DataFrame[] = [];
  // from the last to the first: what came later has been seen
  let seen: pl.DataFrame | undefined;
  for (const { upserted, removed } of [...all].reverse()) {
    upserts.push(seen === undefined ? upserted : without(upserted, seen));
    removals.push(seen === undefined ? removed : without(removed, seen));
    const now = pl.concat([upserted.select(...on), removed.select(...on)]);
    seen = seen === undefined ? now : (pl.concat([seen, now]) as pl.DataFrame).unique();
  }
  return { upserted: pl.concat(upserts), removed: pl.concat(removals) };
}
