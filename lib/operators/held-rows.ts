import type pl from "nodejs-polars";
import type { KeyedStore } from "../state/store.ts";

/** Looking through so many rows takes less time than another step that makes the keys different ones, which is a wait for Polars' thread. */
const FEW = 10_000;

/** The rows that a store holds for keys, which may repeat. @param keys the key columns, named as in the store */
export async function heldFor(store: KeyedStore, keys: pl.DataFrame): Promise<pl.DataFrame> {
  const all = store.inMemory;
  if (all === undefined || all.height > FEW) return await store.lookup(keys.unique() as pl.DataFrame);
  return all.join(keys, { on: [...store.spec.key], how: "semi", nullsEqual: true } as never) as pl.DataFrame;
}

/** Columns under other names, without a query. */
export function takenAs(frame: pl.DataFrame, from: readonly string[], to: readonly string[]): pl.DataFrame {
  const taken = frame.select(...from);
  taken.columns = [...to];
  return taken;
}
