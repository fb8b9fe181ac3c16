import pl from "nodejs-polars";
import { dtypeName } from "../../../schema.ts";

/** How a front end wants to see the rows kept. What it asks for is checked, not trusted. */
export interface FrameView {
  /** `append`: rows as they came. `latest`: the last row of each key. `last`: the last `last` rows. */
  readonly mode: "append" | "latest" | "last";
  readonly last: number;
  readonly sort?: { readonly column: string; readonly descending: boolean };
  readonly filters: readonly RowFilter[];
  /** The part that is on screen: rows and columns from here, so many. `follow` wants the last rows, wherever they are by then. */
  readonly from: number;
  readonly count: number;
  readonly columnFrom: number;
  readonly columnCount: number;
  readonly follow: boolean;
}

export interface RowFilter {
  readonly column: string;
  readonly op: "contains" | "=" | "!=" | "<" | "<=" | ">" | ">=";
  readonly value: string;
}

export const FIRST_VIEW: FrameView = {
  mode: "append",
  last: 1000,
  filters: [],
  from: 0,
  count: 30,
  columnFrom: 0,
  columnCount: 20,
  follow: true,
};

const MOST_ROWS = 500;
const MOST_COLUMNS = 100;

/** What is on screen of a frame, and how much there is. */
export interface FrameWindow {
  readonly rows: pl.DataFrame;
  /** Place of the first of `rows` among the `total` rows of the view. */
  readonly from: number;
  readonly total: number;
  readonly columns: readonly { readonly name: string; readonly dtype: string }[];
  readonly columnFrom: number;
  /** Of the columns of `rows`. One more is the key of `latest`, where it is not among them. */
  readonly columnCount: number;
}

/** The part of a frame that a view asks for. @param key the column `latest` goes by */
export function frameWindow(frame: pl.DataFrame, view: FrameView, key: string | undefined): FrameWindow {
  const shown = arranged(frame, view, key);
  const count = Math.min(view.count, MOST_ROWS);
  const last = Math.max(0, shown.height - count);
  const from = view.follow ? last : Math.min(view.from, last);
  const columnFrom = Math.min(view.columnFrom, Math.max(0, frame.width - 1));
  const names = frame.columns.slice(columnFrom, columnFrom + Math.min(view.columnCount, MOST_COLUMNS));
  const keyed = view.mode === "latest" && key !== undefined && frame.columns.includes(key) && !names.includes(key);
  return {
    rows: shortened(shown.slice(from, count).select(...names, ...(keyed ? [key] : []))),
    from,
    total: shown.height,
    columns: frame.columns.map((name, i) => ({ name, dtype: dtypeName(frame.dtypes[i]!) })),
    columnFrom,
    columnCount: names.length,
  };
}

/** Whether a view is of the last rows, as they came: it can be had without putting all in order. */
export const follows = ({ follow, mode, sort, filters }: FrameView): boolean =>
  follow && mode !== "latest" && sort === undefined && filters.length === 0;

/**
 * The same for a view that {@link follows}, by the last rows alone.
 * @param latest so many of the last rows; may hold more columns than `columns`
 * @param kept rows there are
 */
export function followedWindow(
  latest: (count: number) => pl.DataFrame,
  kept: number,
  columns: FrameWindow["columns"],
  view: FrameView,
): FrameWindow {
  const total = view.mode === "last" ? Math.min(view.last, kept) : kept;
  const columnFrom = Math.min(view.columnFrom, Math.max(0, columns.length - 1));
  const names = columns.slice(columnFrom, columnFrom + Math.min(view.columnCount, MOST_COLUMNS));
  const last = latest(Math.min(view.count, MOST_ROWS, total)).select(...names.map(({ name }) => name));
  return {
    rows: shortened(last),
    from: Math.max(0, total - last.height),
    total,
    columns,
    columnFrom,
    columnCount: names.length,
  };
}

/** A cell shows no more than this of a text, of a list, and of bytes: what is on screen is to stay small, whatever a record holds. */
const CHARACTERS = 500;
const ITEMS = 50;

/** Long texts and lists cut off, with … where something is missing. */
function shortened(rows: pl.DataFrame): pl.DataFrame {
  const exprs = rows.columns.map((name, i) => {
    const column = pl.col(name);
    const dtype = dtypeName(rows.dtypes[i]!);
    if (dtype === "Utf8") {
      const start = column.str.slice(0, CHARACTERS);
      return pl
        .when(start.neq(column))
        .then(pl.concatString([start, pl.lit("…")], ""))
        .otherwise(column)
        .alias(name);
    }
    return dtype.startsWith("List") ? column.list.head(ITEMS).alias(name) : column;
  });
  return rows.height === 0 || exprs.length === 0 ? rows : rows.select(...exprs);
}

function arranged(frame: pl.DataFrame, view: FrameView, key: string | undefined): pl.DataFrame {
  let rows = frame;
  if (view.mode === "latest" && key !== undefined && frame.columns.includes(key))
    rows = rows.unique({ subset: [key], keep: "last", maintainOrder: true });
  else if (view.mode === "last") rows = rows.tail(view.last);
  for (const filter of view.filters)
    if (rows.columns.includes(filter.column))
      rows = rows.filter(condition(filter, rows.getColumn(filter.column).dtype));
  const { sort } = view;
  if (sort !== undefined && rows.columns.includes(sort.column))
    rows = rows.sort(pl.col(sort.column), sort.descending, true);
  return rows;
}

/** Numbers are compared as numbers and instants as instants; everything else by its text. */
function condition({ column, op, value }: RowFilter, dtype: pl.DataType): pl.Expr {
  const name = dtypeName(dtype);
  if (op !== "contains" && name.startsWith("Datetime")) {
    const ms = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(value) ? value : `${value}Z`);
    if (!Number.isNaN(ms)) return compared(pl.col(column).cast(pl.Datetime("ms")).cast(pl.Int64), op, pl.lit(ms));
  }
  if (op !== "contains" && /^(U?Int|Float)/.test(name) && value.trim() !== "" && !Number.isNaN(Number(value)))
    return compared(pl.col(column).cast(pl.Float64), op, pl.lit(Number(value)));
  const text = /^(List|Struct|Binary)/.test(name) ? undefined : pl.col(column).cast(pl.Utf8);
  if (text === undefined) return pl.lit(true);
  if (op === "contains") return text.str.contains(pl.lit(escapePattern(value))).fillNull(pl.lit(false));
  return compared(text, op, pl.lit(value));
}

function compared(left: pl.Expr, op: Exclude<RowFilter["op"], "contains">, right: pl.Expr): pl.Expr {
  switch (op) {
    case "=":
      return left.eq(right);
    case "!=":
      return left.neq(right);
    case "<":
      return left.lt(right);
    case "<=":
      return left.ltEq(right);
    case ">":
      return left.gt(right);
    case ">=":
      return left.gtEq(right);
  }
}

const escapePattern = (text: string) => `(?i)${text.replace(/[\\^$.*+?()[\]{}|#&\-~\s]/g, "\\$&")}`;

/** A view from what a front end sent: what is wrong or missing stays as it was. */
export function viewFrom(sent: unknown, before: FrameView): FrameView {
  if (typeof sent !== "object" || sent === null) return before;
  const asked = sent as Record<string, unknown>;
  const whole = (name: keyof FrameView): number => {
    const value = asked[name];
    return typeof value === "number" && Number.isFinite(value)
      ? Math.max(0, Math.floor(value))
      : (before[name] as number);
  };
  const sort = "sort" in asked ? sortFrom(asked.sort) : before.sort;
  return {
    mode: asked.mode === "append" || asked.mode === "latest" || asked.mode === "last" ? asked.mode : before.mode,
    last: Math.max(1, whole("last")),
    ...(sort && { sort }),
    filters: Array.isArray(asked.filters) ? asked.filters.filter(isFilter) : before.filters,
    from: whole("from"),
    count: Math.max(1, whole("count")),
    columnFrom: whole("columnFrom"),
    columnCount: Math.max(1, whole("columnCount")),
    follow: typeof asked.follow === "boolean" ? asked.follow : before.follow,
  };
}

function sortFrom(sent: unknown): FrameView["sort"] {
  const { column, descending } = (sent ?? {}) as Record<string, unknown>;
  return typeof column === "string" ? { column, descending: descending === true } : undefined;
}

const OPS = new Set<unknown>(["contains", "=", "!=", "<", "<=", ">", ">="]);
const isFilter = (sent: unknown): sent is RowFilter => {
  const { column, op, value } = (sent ?? {}) as Record<string, unknown>;
  return typeof column === "string" && OPS.has(op) && typeof value === "string";
};
