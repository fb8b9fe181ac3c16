import type { CallTree, FunctionTree } from "../tree.ts";

/** What a method or function of Polars means on a stream. */
export type Meaning =
  | { readonly is: "row-wise" }
  /** The value of a row depends on the last `rows` rows of its key. */
  | { readonly is: "look-back"; readonly rows: number }
  /** The value of a row depends on one value carried along per key. */
  | { readonly is: "accumulating" }
  /** One value for many rows; values for parts of the rows merge into the value for all. */
  | { readonly is: "aggregate" }
  /** One value for many rows that needs all of them: a window keeps its rows until it closes. */
  | { readonly is: "collected" }
  /** Leaves rows out; meaningful only below an aggregate. */
  | { readonly is: "narrowing" }
  /** Computes what it holds per key: `over`. */
  | { readonly is: "per key" }
  /** Stands for several columns, or for one by place. */
  | { readonly is: "columns" }
  | { readonly is: "refused"; readonly why: string; readonly instead?: (tree: CallTree, key: string) => string }
  /** Gives no expression: `toString`, `DataFrame`, … */
  | { readonly is: "no expression" };

/** A meaning, or how it follows from the arguments. */
export type Entry = Meaning | ((tree: CallTree) => Meaning);

export const ROW_WISE: Meaning = { is: "row-wise" };
export const ACCUMULATING: Meaning = { is: "accumulating" };
export const AGGREGATE: Meaning = { is: "aggregate" };
export const COLLECTED: Meaning = { is: "collected" };
export const NARROWING: Meaning = { is: "narrowing" };
export const COLUMNS: Meaning = { is: "columns" };
export const NO_EXPRESSION: Meaning = { is: "no expression" };

export function refused(why: string, instead?: (tree: CallTree, key: string) => string): Meaning {
  return { is: "refused", why, instead };
}

export type { CallTree, FunctionTree };
