import type pl from "nodejs-polars";
import { type ExprTree, withoutAlias } from "../plan/tree.ts";
import { frameOf } from "../polars/frame-of.ts";
import type { Schema } from "../schema.ts";
import { columns } from "./exprs.ts";
import { takenAs } from "./held-rows.ts";
import { type InlineExpr, inlined } from "./inline-exprs.ts";

/** A column that is left, and its name from then on. */
type Taken = readonly [from: string, to: string];

/** What Polars does to each row by itself. */
export interface RowQuery {
  readonly query: (rows: pl.LazyDataFrame) => pl.LazyDataFrame;
  /** Which of the columns that are there are left, where it only takes, names and leaves out some of them: that needs no query. */
  readonly takes?: (present: readonly string[]) => readonly Taken[];
  /** The same without a query, of rows that are there; nothing where that is not possible. */
  readonly inline?: (rows: pl.DataFrame) => pl.DataFrame | undefined;
}

/** Of so many rows a wait for Polars' thread is a large part of what a query costs. Of more, what lies between two steps would take too much memory. */
const FEW = 10_000;

/** What these queries make of the rows, without a query; nothing where one needs it. */
export function inlineThrough(queries: readonly RowQuery[], rows: pl.DataFrame): pl.DataFrame | undefined {
  if (rows.height === 0 || rows.height > FEW) return undefined;
  let made: pl.DataFrame | undefined = rows;
  for (const query of queries) {
    const taken = takenThrough([query], made.columns);
    made = taken === undefined ? query.inline?.(made) : takenAs(made, taken.from, taken.to);
    if (made === undefined) return undefined;
  }
  return made;
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
  /** Of the rows that they are over. */
  readonly schema: Schema;
}

/** How to compute them without a query, each as the column of its name. */
function inlineColumns({ trees, names, schema }: RowExprs): ((rows: pl.DataFrame) => pl.Series[]) | undefined {
  const made = trees.map((tree) => inlined(tree, schema)).filter((expr) => expr !== undefined);
  if (made.length < trees.length) return undefined;
  return (rows) => made.map((expr, i) => expr.of(rows).rename(names[i]!) as pl.Series);
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
  const inline = after.length === 0 ? inlineColumns(made) : undefined;
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
    ...(inline && {
      inline: (rows) => {
        const present = rows.columns.filter((name) => wanted.has(name));
        if (present.length === 0 || present.some((name) => made.names.includes(name))) return undefined;
        return hstacked(rows.select(...present), inline(rows)).select(...made.names, ...present);
      },
    }),
  };
}

/** Columns that are added, or replace those of their names. @param temporary columns that are left out afterwards */
export function adding(made: RowExprs, temporary: readonly string[]): RowQuery {
  const left = new Set(temporary);
  const taken = takenBy(made);
  const origin = new Map(taken?.map(([from, to]) => [to, from]));
  const inline = inlineColumns(made);
  return {
    query: (rows) => without(rows.withColumns(...(made.exprs as pl.Expr[])), temporary),
    ...(taken && {
      takes: (present) => [
        ...present.filter((name) => !left.has(name)).map((name): Taken => [origin.get(name) ?? name, name]),
        ...taken.filter(([, to]) => !present.includes(to)),
      ],
    }),
    ...(inline && { inline: (rows) => replaced(rows, inline(rows), left) }),
  };
}

/** Rows with these columns in the place of those of their names, or behind the others. @param temporary columns that are left out */
function replaced(
  rows: pl.DataFrame,
  series: readonly pl.Series[],
  temporary: ReadonlySet<string>,
): pl.DataFrame | undefined {
  const present = rows.columns.filter((name) => !temporary.has(name));
  const names = series.map(({ name }) => name);
  const kept = present.filter((name) => !names.includes(name));
  if (kept.length === 0) return undefined;
  const all = hstacked(kept.length === rows.columns.length ? rows : rows.select(...kept), series);
  return kept.length === present.length
    ? all
    : all.select(...present, ...names.filter((name) => !present.includes(name)));
}

function hstacked(rows: pl.DataFrame, series: readonly pl.Series[]): pl.DataFrame {
  return rows.hstack([...series]) as unknown as pl.DataFrame;
}

/** Filtering column by column pays for so many. */
const MOST_COLUMNS = 16;

/** The rows for which an expression is true. @param temporary columns that are left out afterwards */
export function filtering(expr: pl.Expr, tree: ExprTree, schema: Schema, temporary: readonly string[]): RowQuery {
  const condition: InlineExpr | undefined = inlined(tree, schema);
  return {
    query: (rows) => without(rows.filter(expr), temporary),
    ...(condition && {
      inline: (rows) => {
        const names = rows.columns.filter((name) => !temporary.includes(name));
        if (names.length > MOST_COLUMNS || names.length === 0) return undefined;
        const holds = condition.of(rows);
        return frameOf(names.map((name) => rows.getColumn(name).filter(holds)));
      },
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
