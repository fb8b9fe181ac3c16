import type pl from "nodejs-polars";
import type { ColdRows } from "./cold-rows.ts";
import type { Changes } from "./memory-store.ts";
import { SpillingStore } from "./spilling-store.ts";
import type { StateMemory } from "./state-memory.ts";
import type { StoreSpec } from "./store.ts";

/** What a store has been given to begin with: its saved rows, or only how many of them the file has. */
export type Saved = { readonly rows: pl.DataFrame } | { readonly size: number };

/** The stores of one partition: rows in memory, behind them the file, and what changed since the last checkpoint. */
export class PartitionStores {
  readonly #stores: ReadonlyMap<string, SpillingStore>;

  /**
   * @param cold the saved rows of a store, by its name
   * @param saved what a store holds already, by its name
   */
  constructor(
    specs: readonly StoreSpec[],
    memory: StateMemory,
    cold: (store: string) => ColdRows,
    saved: ReadonlyMap<string, Saved> = new Map(),
  ) {
    this.#stores = new Map(
      specs.map((spec) => [spec.name, new SpillingStore(spec, cold(spec.name), memory, saved.get(spec.name))]),
    );
  }

  get(name: string): SpillingStore {
    const store = this.#stores.get(name);
    if (store === undefined) throw new TypeError(`${name} is not a store of this plan`);
    return store;
  }

  get rows(): number {
    return [...this.#stores.values()].reduce((sum, store) => sum + store.size, 0);
  }

  /** Changes since the last call, of the stores that have any. @param saved those of every call before have been saved */
  async takeChanges(saved = true): Promise<Map<string, Changes>> {
    const changes = new Map<string, Changes>();
    for (const [name, store] of this.#stores) {
      const change = await store.takeChanges(saved);
      if (change.upserted.height + change.removed.height > 0) changes.set(name, change);
    }
    return changes;
  }

  /** Gives their memory back: the partition is another worker's now, or opened anew. */
  close(): void {
    for (const store of this.#stores.values()) store.close();
  }
}
