import type { Schema } from "../schema.ts";

/** What code may give for a column of a dtype. */
export type CellOf<DType extends string> = DType extends `Datetime${string}` | "Date"
  ? Date | number | null
  : DType extends `${"U" | ""}Int${string}` | `Float${string}` | `Duration${string}`
    ? number | null
    : DType extends "Utf8"
      ? string | null
      : DType extends "Boolean"
        ? boolean | null
        : any;

/** A row with the columns of a schema. */
export type RowOf<S extends Schema> = { readonly [Name in keyof S]: CellOf<S[Name]> };
