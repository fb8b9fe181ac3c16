import pl from "nodejs-polars";
import { emptyFrame } from "../schema.ts";
import type { ColdRows } from "./cold-rows.ts";
import { type Changes, MemoryStore } from "./memory-store.ts";
import type { StateMemory } from "./state-memory.ts";
import type { KeyedStore, StoreSpec } from "./store.ts";

/**
 * Rows in memory, and behind them those that were saved and have left it. In memory is at least what has changed since the last save: what was
 * spilled is what a checkpoint wrote, never anything else, so nothing uncommitted can ever be found in the file.
 *
 * `hot` holds rows, changed or not. `gone` holds keys that are held no more, though the file may still have them. `cold` is the file.
 * A row is looked for in this order. Rows leave memory in {@link takeChanges}, once everything that was taken before has been saved.
 */
export class SpillingStore implements KeyedStore {
  readonly spec: StoreSpec;
  readonly #hot: MemoryStore;
  readonly #gone: MemoryStore;
  readonly #cold: ColdRows;
  readonly #memory: StateMemory;
  readonly #join: { on: string[]; nullsEqual: boolean };
  #save: () => Promise<void> = async () => {};
  /** The file has rows that are neither hot nor gone. */
  #spilled: boolean;
  #size: number;
  /** Keys of changes, in their order. */
  #changed: pl.DataFrame[] = [];
  /** What has changed, where that is one upsert: it is known without a query. */
  #only: pl.DataFrame | undefined;
  /** Keys that the last lookup did not find: they need not be looked for once more. */
  #absent: pl.DataFrame | undefined;
  /** column -> values up to which nothing cold is left, and the smallest beyond. */
  readonly #coldMin = new Map<string, { floor: number; min: number | undefined }>();

  /**
   * @param options.rows what it holds, as saved; without it and with `size` all of that is cold
   * @param options.size number of rows the file has
   */
  constructor(
    spec: StoreSpec,
    cold: ColdRows,
    memory: StateMemory,
    options: { rows?: pl.DataFrame; size?: number } = {},
  ) {
    this.spec = spec;
    this.#cold = cold;
    this.#memory = memory;
    this.#join = { on: [...spec.key], nullsEqual: true };
    this.#hot = new MemoryStore(spec, { ...(options.rows && { rows: options.rows }) });
    const keys = Object.fromEntries(spec.key.map((name) => [name, spec.schema[name] as string]));
    this.#gone = new MemoryStore({ name: spec.name, key: spec.key, schema: keys });
    this.#size = options.rows?.height ?? options.size ?? 0;
    this.#spilled = options.rows === undefined && this.#size > 0;
    this.#note();
  }

  get size(): number {
    return this.#size;
  }

  /** Whether some rows are in the file only. */
  get spilled(): boolean {
    return this.#spilled;
  }

  get inMemory(): pl.DataFrame | undefined {
    return this.#spilled ? undefined : this.#hot.inMemory;
  }

  beforeTaken(save: () => Promise<void>): void {
    this.#save = save;
  }

  async lookup(keys: pl.DataFrame): Promise<pl.DataFrame> {
    const hot = await this.#hot.lookup(keys);
    if (!this.#spilled || hot.height === keys.height) return hot;
    const only = this.#keysOf(keys);
    let missing = hot.height === 0 ? only : this.#without(only, hot);
    if (this.#gone.size > 0) missing = this.#without(missing, await this.#gone.all());
    if (missing.height === 0) return hot;
    const cold = await this.#cold.lookup(missing);
    this.#absent = cold.height === 0 ? missing : this.#without(missing, cold);
    if (cold.height === 0) return hot;
    await this.#hot.upsert(cold);
    this.#note();
    return hot.height === 0 ? cold : pl.concat([hot, cold]);
  }

  async scan(keys: pl.DataFrame, above?: { readonly column: string; readonly bound: number }): Promise<pl.DataFrame> {
    const hot = await this.#hot.scan(keys, above);
    if (!this.#spilled || keys.height === 0) return hot;
    const cold = await this.#visible(await this.#cold.scan(keys, above));
    return cold.height === 0 ? hot : pl.concat([hot, cold]);
  }

  async upsert(rows: pl.DataFrame): Promise<void> {
    if (rows.height === 0) return;
    if (this.#spilled) await this.#lookupUnknown(rows);
    const before = this.#hot.size;
    await this.#hot.upsert(rows);
    this.#size += this.#hot.size - before;
    if (this.#gone.size > 0) await this.#gone.remove(rows);
    const again = before === 1 && this.#hot.size === 1 && this.#only?.height === 1; // the one row there is, such as a watermark
    if (!again) this.#changed.push(this.#keysOf(rows));
    this.#only = again || this.#changed.length === 1 ? rows.select(...Object.keys(this.spec.schema)) : undefined;
    this.#note();
  }

  async remove(keys: pl.DataFrame): Promise<void> {
    if (keys.height === 0 || this.#size === 0) return;
    if (this.#spilled) await this.#lookupUnknown(keys);
    const before = this.#hot.size;
    await this.#hot.remove(keys);
    this.#size -= before - this.#hot.size;
    await this.#forget(this.#keysOf(keys));
  }

  async takeUpTo(column: string, bound: number): Promise<pl.DataFrame> {
    const hot = await this.#hot.takeUpTo(column, bound);
    if (hot.height > 0) await this.#forget(this.#keysOf(hot)); // first: the file may have other rows of these keys
    const cold = await this.#coldUpTo(column, bound);
    if (cold.height > 0) await this.#forget(this.#keysOf(cold));
    this.#size -= hot.height + cold.height;
    return cold.height === 0 ? hot : pl.concat([hot, cold]);
  }

  async min(column: string): Promise<number | undefined> {
    const hot = await this.#hot.min(column);
    const cold = await this.#smallestCold(column);
    return hot === undefined || cold === undefined ? (hot ?? cold) : Math.min(hot, cold);
  }

  async all(): Promise<pl.DataFrame> {
    const hot = await this.#hot.all();
    if (!this.#spilled) return hot;
    return pl.concat([hot, await this.#visible(await this.#cold.all())]);
  }

  /**
   * The changes since the last call, to be saved in the order of calls.
   * @param saved everything taken earlier has been saved by now: where memory is crowded it leaves it
   */
  async takeChanges(saved = true): Promise<Changes> {
    await this.#save();
    const none = emptyFrame(this.spec.schema);
    const { upserted, removed } = await this.#changesOf(this.#changed, this.#only, none);
    this.#changed = [];
    this.#only = undefined;
    if (saved && this.#memory.crowded && this.#hot.size > upserted.height) {
      this.#hot.reset(upserted);
      this.#spilled = true;
      this.#coldMin.clear();
    }
    if (!this.#spilled) this.#gone.reset(this.#keysOf(none));
    else if (saved) this.#gone.reset(removed);
    else await this.#gone.upsert(removed); // the file still has what went before
    if (upserted.height > 0) this.#coldMin.clear(); // the file is about to have others
    this.#absent = undefined;
    this.#note();
    return { upserted, removed };
  }

  async #changesOf(
    changed: readonly pl.DataFrame[],
    only: pl.DataFrame | undefined,
    none: pl.DataFrame,
  ): Promise<Changes> {
    if (changed.length === 0 || only !== undefined) return { upserted: only ?? none, removed: this.#keysOf(none) };
    const keys = (pl.concat([...changed]) as pl.DataFrame).unique();
    const upserted = await this.#hot.lookup(keys);
    return { upserted, removed: upserted.height === keys.height ? keys.head(0) : this.#without(keys, upserted) };
  }

  /** Gives its memory back. */
  close(): void {
    this.#memory.note(this, 0);
  }

  /** Brings what the file has of these keys into memory, so that it can be told what they replace. */
  async #lookupUnknown(keys: pl.DataFrame): Promise<void> {
    const only = this.#keysOf(keys);
    const unknown = this.#absent === undefined ? only : this.#without(only, this.#absent);
    const absent = this.#absent;
    if (unknown.height > 0) await this.lookup(unknown);
    this.#absent = absent; // of the operator's own lookup, which comes before its changes
  }

  async #forget(keys: pl.DataFrame): Promise<void> {
    if (this.#spilled) await this.#gone.upsert(keys);
    this.#changed.push(keys);
    this.#only = undefined;
    this.#note();
  }

  async #coldUpTo(column: string, bound: number): Promise<pl.DataFrame> {
    const smallest = await this.#smallestCold(column);
    if (smallest === undefined || smallest > bound) return emptyFrame(this.spec.schema);
    const rows = await this.#visible(await this.#cold.upTo(column, bound));
    this.#coldMin.set(column, { floor: bound, min: await this.#cold.min(column, bound) });
    return rows;
  }

  async #smallestCold(column: string): Promise<number | undefined> {
    if (!this.#spilled) return undefined;
    let known = this.#coldMin.get(column);
    if (known === undefined) {
      known = { floor: Number.NEGATIVE_INFINITY, min: await this.#cold.min(column, Number.NEGATIVE_INFINITY) };
      this.#coldMin.set(column, known);
    }
    return known.min;
  }

  /** The rows of the file that nothing in memory stands before. */
  async #visible(rows: pl.DataFrame): Promise<pl.DataFrame> {
    let left = rows;
    if (left.height > 0 && this.#hot.size > 0) left = this.#without(left, await this.#hot.all());
    if (left.height > 0 && this.#gone.size > 0) left = this.#without(left, await this.#gone.all());
    return left;
  }

  #keysOf(frame: pl.DataFrame): pl.DataFrame {
    return frame.select(...this.spec.key);
  }

  #without(rows: pl.DataFrame, others: pl.DataFrame): pl.DataFrame {
    return rows.join(this.#keysOf(others), { ...this.#join, how: "anti" });
  }

  #note(): void {
    this.#memory.note(this, Math.max(1, this.#hot.bytes + this.#gone.bytes));
  }
}
