import type pl from "nodejs-polars";
import { type Changes, MemoryStore } from "./memory-store.ts";
import type { StoreSpec } from "./store.ts";

/** The stores of one partition: rows in memory, and what changed since the last checkpoint. */
export class PartitionStores {
  readonly #stores: ReadonlyMap<string, MemoryStore>;

  /** @param rows what a store holds already, by store name */
  constructor(specs: readonly StoreSpec[], rows: ReadonlyMap<string, pl.DataFrame> = new Map()) {
    this.#stores = new Map(
      specs.map((spec) => {
        const held = rows.get(spec.name);
        return [spec.name, new MemoryStore(spec, { track: true, ...(held && { rows: held }) })];
      }),
    );
  }

  get(name: string): MemoryStore {
    const store = this.#stores.get(name);
    if (store === undefined) throw new TypeError(`${name} is not a store of this plan`);
    return store;
  }

  all(): Iterable<MemoryStore> {
    return this.#stores.values();
  }

  get rows(): number {
    return [...this.#stores.values()].reduce((sum, store) => sum + store.size, 0);
  }

  /** Changes since the last call, of the stores that have any. */
  takeChanges(): Map<string, Changes> {
    const changes = new Map<string, Changes>();
    for (const [name, store] of this.#stores) {
      const change = store.takeChanges();
      if (change.upserted.height + change.removed.height > 0) changes.set(name, change);
    }
    return changes;
  }
}
