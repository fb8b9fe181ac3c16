import type pl from "nodejs-polars";
import type { Schema } from "../schema.ts";

/** A table of state that one operator keeps, described before it exists. */
export interface StoreSpec {
  /** Readable and stable across restarts, e.g. `window_per_second`. */
  readonly name: string;
  /** Names of the columns that form the primary key; all of them are in `schema`. Values of key columns may be null. */
  readonly key: readonly string[];
  readonly schema: Schema;
}

/**
 * The rows of one {@link StoreSpec} that belong to one partition. Columnar in both directions; a batch of keys at a time.
 * Whether rows are held in memory, in DuckDB behind it, or both is the implementation's affair.
 */
export interface KeyedStore {
  readonly spec: StoreSpec;
  /** Number of rows held. */
  readonly size: number;
  /** All rows, where all of them are in memory. */
  readonly inMemory: pl.DataFrame | undefined;
  /**
   * The rows held for these keys. `keys` has (at least) the key columns and no duplicate keys; null equals null.
   * Keys that are not held have no row in the answer; the order of rows is unspecified; columns are as in `spec.schema`.
   */
  lookup(keys: pl.DataFrame): Promise<pl.DataFrame>;
  /**
   * The rows whose leading key columns equal a row of `keys` (those columns of it, without duplicates; null equals null), and with `above`
   * only those whose column (a number, or a datetime as its milliseconds) is null or greater than the bound. Order unspecified.
   */
  scan(keys: pl.DataFrame, above?: { readonly column: string; readonly bound: number }): Promise<pl.DataFrame>;
  /** Inserts rows, or replaces the ones with the same key. No duplicate keys within `rows`; columns as in `spec.schema`. */
  upsert(rows: pl.DataFrame): Promise<void>;
  /** Removes the rows with these keys; keys that are not held are ignored. */
  remove(keys: pl.DataFrame): Promise<void>;
  /** Removes and returns every row whose `column` (a number, or a datetime as its milliseconds) is at most `bound`; order unspecified. */
  takeUpTo(column: string, bound: number): Promise<pl.DataFrame>;
  /** The smallest value of `column` (a number, or a datetime as its milliseconds) held, or undefined when empty. Cheap enough to ask per batch. */
  min(column: string): Promise<number | undefined>;
  /**
   * Where changes are taken from time to time: `save` is called before that, and an operator may keep what it has changed to itself until then.
   * Absent where rows can be looked at after every batch.
   */
  beforeTaken?(save: () => Promise<void>): void;
  /** Every row; for `collect({ final: true })`, tests and restore. Order unspecified. */
  all(): Promise<pl.DataFrame>;
}

/** Opens the part of a store that belongs to one partition. The same spec name and partition give the same rows. */
export type OpenStore = (spec: StoreSpec) => KeyedStore;
