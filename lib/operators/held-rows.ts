import type pl from "nodejs-polars";
import type { KeyedStore } from "../state/store.ts";

/**
 * The rows that a store holds for keys, as a query: where they are all in memory it is a part of the one that needs them, since each is a wait for
 * Polars' thread.
 * @param keys the key columns; may repeat
 */
export async function heldFor(store: KeyedStore, keys: pl.LazyDataFrame): Promise<pl.LazyDataFrame> {
  const all = store.inMemory;
  if (all === undefined) return (await store.lookup(keys.unique().collectSync())).lazy();
  return keys.unique().join(all.lazy(), { on: [...store.spec.key], how: "inner", nullsEqual: true });
}
