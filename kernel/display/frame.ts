import type { MimeBundle } from "../../lib/run/host.ts";
import { escapeHtml } from "./html.ts";

/** As much of a Polars frame as is needed to show it; the kernel does not load Polars itself. */
interface DataFrameLike {
  readonly height: number;
  readonly width: number;
  readonly columns: readonly string[];
  readonly dtypes: readonly unknown[];
  head(rows: number): DataFrameLike;
  tail(rows: number): DataFrameLike;
  rows(): unknown[][];
  toString(): string;
}

interface SeriesLike {
  readonly name: string;
  readonly dtype: unknown;
  toFrame(): DataFrameLike;
  toString(): string;
}

/** A frame of more rows shows its first and last. */
const ROWS_SHOWN = 20;
const COLUMNS_SHOWN = 40;
const CELL_CHARACTERS = 120;

/** Frames and series are proxies: what they are is told by their tag and the native part they wrap. */
export const isDataFrame = (value: object): value is DataFrameLike => wraps(value, "DataFrame", "_df");
export const isSeries = (value: object): value is SeriesLike => wraps(value, "Series", "_s");

function wraps(value: object, name: string, native: string): boolean {
  const tag: unknown = (value as Record<symbol, unknown>)[Symbol.toStringTag];
  const says: unknown = typeof tag === "function" ? tag.call(value) : tag;
  return says === name && typeof (value as Record<string, unknown>)[native] === "object";
}

/** A table with dtypes for those who see HTML, Polars' own box for the rest. */
export function frameBundle(value: DataFrameLike | SeriesLike): MimeBundle {
  const frame = isSeries(value) ? value.toFrame() : (value as DataFrameLike);
  return { "text/html": frameHtml(frame), "text/plain": String(value) };
}

function frameHtml(frame: DataFrameLike): string {
  const { height, width } = frame;
  const shownColumns = frame.columns.slice(0, COLUMNS_SHOWN);
  const names = shownColumns.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const dtypes = shownColumns
    .map((_, at) => `<td><small>${escapeHtml(dtypeName(frame.dtypes[at]))}</small></td>`)
    .join("");
  const row = (cells: unknown[]) =>
    `<tr>${cells
      .slice(0, COLUMNS_SHOWN)
      .map((cell) => `<td>${escapeHtml(cellText(cell))}</td>`)
      .join("")}</tr>`;
  const half = ROWS_SHOWN / 2;
  const body =
    height <= ROWS_SHOWN
      ? frame.rows().map(row)
      : [
          ...frame.head(half).rows().map(row),
          `<tr>${shownColumns.map(() => "<td>…</td>").join("")}</tr>`,
          ...frame.tail(half).rows().map(row),
        ];
  const hidden = width > COLUMNS_SHOWN ? `, ${width - COLUMNS_SHOWN} columns not shown` : "";
  return (
    `<div><table class="dataframe" border="1"><thead><tr>${names}</tr><tr>${dtypes}</tr></thead>` +
    `<tbody>${body.join("")}</tbody></table><p><small>${height} rows × ${width} columns${hidden}</small></p></div>`
  );
}

/** `Float64`, `Datetime(ms)`, `List(Utf8)`: as a dtype's own JSON says, without the wrapping. */
function dtypeName(dtype: unknown): string {
  const name = (part: unknown): string => {
    if (typeof part !== "object" || part === null) return String(part);
    if (Array.isArray(part))
      return part
        .filter((each) => each !== null && each !== "")
        .map(name)
        .join(", ");
    const [kind, inner] = Object.entries(part)[0] ?? ["", ""];
    if (kind === "DataType") return name(inner);
    return kind === "Struct" ? "Struct" : `${kind}(${name(inner)})`;
  };
  return name(JSON.parse(JSON.stringify(dtype)));
}

function cellText(value: unknown): string {
  const text =
    value === null || value === undefined
      ? "null"
      : value instanceof Date
        ? value.toISOString()
        : typeof value === "object"
          ? JSON.stringify(value, (_, each) => (typeof each === "bigint" ? String(each) : each))
          : String(value);
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text;
}
