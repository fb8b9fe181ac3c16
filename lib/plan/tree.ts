/**
 * An expression as plain JSON: the calls that made it, with the arguments as they were written.
 * A string argument that Polars takes as a column (`plus("a")`) is recorded as that column.
 */
export type ExprTree = ColTree | LitTree | CallTree | FunctionTree | WhenTree;

/** One column by its exact name. Patterns and lists of columns are `function` trees (`pl.col("^g.*$")`, `pl.all()`). */
export interface ColTree {
  readonly kind: "col";
  readonly name: string;
}

/** `pl.lit(value)` */
export interface LitTree {
  readonly kind: "lit";
  readonly value: Arg;
}

/** A method: `fn` is `abs`, `str.toUpperCase`, `dt.hour`, … */
export interface CallTree {
  readonly kind: "call";
  readonly fn: string;
  readonly self: ExprTree;
  readonly args: readonly Arg[];
}

/** A free function of `pl`: `len`, `struct`, `concatList`, … */
export interface FunctionTree {
  readonly kind: "function";
  readonly fn: string;
  readonly args: readonly Arg[];
}

export interface WhenTree {
  readonly kind: "when";
  readonly branches: readonly { readonly when: ExprTree; readonly then: ExprTree }[];
  readonly otherwise: ExprTree;
}

/**
 * An argument: JSON as it is; anything else is an object with one key that starts with `$`:
 * `$expr` (a tree), `$date` (ms), `$bigint`, `$number` (`NaN`, `Infinity`, `-Infinity`, `-0`), `$regex` ([source, flags]),
 * `$dtype` (its name), `$series` ([name, dtype, values]), `$undefined`.
 */
export type Arg = null | boolean | number | string | readonly Arg[] | { readonly [key: string]: Arg | ExprTree };

export type ExprArg = { readonly $expr: ExprTree };

/** The tree inside an argument, if it is an expression. */
export function argTree(arg: Arg | undefined): ExprTree | undefined {
  return arg !== null && typeof arg === "object" && "$expr" in arg ? (arg as unknown as ExprArg).$expr : undefined;
}
