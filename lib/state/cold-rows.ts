import type pl from "nodejs-polars";

/** What is kept outside of memory of one store and partition: its rows as of the last save. Columns as in the store's schema, order unspecified. */
export interface ColdRows {
  /** The rows of these keys (key columns only, no duplicates; null equals null). */
  lookup(keys: pl.DataFrame): Promise<pl.DataFrame>;
  /** As {@link KeyedStore.scan}. */
  scan(keys: pl.DataFrame, above?: { readonly column: string; readonly bound: number }): Promise<pl.DataFrame>;
  /** The rows whose `column` (a number, or a datetime as its milliseconds) is at most `bound`. */
  upTo(column: string, bound: number): Promise<pl.DataFrame>;
  /** The smallest value of `column` above `floor` (-Infinity: of all). */
  min(column: string, floor: number): Promise<number | undefined>;
  all(): Promise<pl.DataFrame>;
}
