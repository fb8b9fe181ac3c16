import type pl from "nodejs-polars";
import { type ExprTree, withoutAlias } from "../plan/tree.ts";
import { columns } from "./exprs.ts";

/** A column that is left, and its name from then on. */
type Taken = readonly [from: string, to: string];

/** What Polars does to each row by itself. */
export interface RowQuery {
  readonly query: (rows: pl.LazyDataFrame) => pl.LazyDataFrame;
  /** Which of the columns that are there are left, where it only takes, names and leaves out some of them: that needs no query. */
  readonly takes?: (present: readonly string[]) => readonly Taken[];
}

/** The columns that are left after these queries, and their names then; undefined where one computes something, or a column is left twice. */
export function takenThrough(
  queries: readonly RowQuery[],
  present: readonly string[],
): { readonly from: string[]; readonly to: string[] } | undefined {
  if (queries.some(({ takes }) => takes === undefined)) return undefined;
  let from = [...present];
  let to = from;
  for (const { takes } of queries) {
    const origin = new Map(to.map((name, i) => [name, from[i]!]));
    const taken = takes!(to);
    from = taken.map(([name]) => origin.get(name)!);
    to = taken.map(([, name]) => name);
  }
  return new Set(from).size === from.length ? { from, to } : undefined;
}

/** Expressions of one column each. */
export interface RowExprs {
  readonly exprs: readonly pl.Expr[];
  readonly names: readonly string[];
  readonly trees: readonly ExprTree[];
}

/** The columns that these expressions are, where each of them is one. */
function takenBy({ trees, names }: RowExprs): readonly Taken[] | undefined {
  const taken = trees.flatMap((tree, i): Taken[] => {
    const column = withoutAlias(tree);
    return column.kind === "col" ? [[column.name, names[i]!]] : [];
  });
  return taken.length === trees.length ? taken : undefined;
}

/**
 * A select that takes metadata along: `_headers`, `_watermark`, `_sequence` and `_order` are there only where they are needed. The expressions are built for
 * the first batch and kept, as they are costly to make.
 * @param after what is computed beside them
 */
export function selecting(made: RowExprs, metadata: readonly string[], after: readonly pl.Expr[] = []): RowQuery {
  const wanted = new Set([...metadata, "_watermark", "_sequence", "_order"]);
  const built = new Map<string, pl.Expr[]>();
  const taken = after.length === 0 ? takenBy(made) : undefined;
  return {
    query: (rows) => {
      const present = rows.columns.filter((name) => wanted.has(name));
      const signature = present.join();
      let all = built.get(signature);
      if (all === undefined) {
        all = [...made.exprs, ...columns(present), ...after];
        built.set(signature, all);
      }
      return rows.select(...all);
    },
    ...(taken && {
      takes: (present) => [...taken, ...present.filter((name) => wanted.has(name)).map((name): Taken => [name, name])],
    }),
  };
}

/** Columns that are added, or replace those of their names. @param temporary columns that are left out afterwards */
export function adding(made: RowExprs, temporary: readonly string[]): RowQuery {
  const left = new Set(temporary);
  const taken = takenBy(made);
  const origin = new Map(taken?.map(([from, to]) => [to, from]));
  return {
    query: (rows) => without(rows.withColumns(...(made.exprs as pl.Expr[])), temporary),
    ...(taken && {
      takes: (present) => [
        ...present.filter((name) => !left.has(name)).map((name): Taken => [origin.get(name) ?? name, name]),
        ...taken.filter(([, to]) => !present.includes(to)),
      ],
    }),
  };
}

/** Leaves columns out; where nothing downstream needs them, they were not even read. */
export function leavingOut(names: readonly string[]): RowQuery {
  return {
    query: (rows) => {
      const present = rows.columns;
      return without(
        rows,
        names.filter((name) => present.includes(name)),
      );
    },
    takes: (present) => present.filter((name) => !names.includes(name)).map((name) => [name, name]),
  };
}

/** Gives columns other names. */
export function renaming(mapping: Readonly<Record<string, string>>): RowQuery {
  return {
    query: (rows) => {
      const present = new Set(rows.columns);
      return rows.rename(Object.fromEntries(Object.entries(mapping).filter(([from]) => present.has(from))));
    },
    takes: (present) => present.map((name) => [name, Object.hasOwn(mapping, name) ? mapping[name]! : name]),
  };
}

export function without(rows: pl.LazyDataFrame, names: readonly string[]): pl.LazyDataFrame {
  return names.length === 0 ? rows : rows.drop(...(names as [string, ...string[]]));
}
