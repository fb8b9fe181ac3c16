import type { MimeBundle } from "../../lib/run/host.ts";
import { escapeHtml } from "./html.ts";
import { probe } from "./probe.ts";

/** As much of a Polars frame as is needed to show it; the kernel does not load Polars itself. */
interface DataFrameLike {
  readonly height: number;
  readonly width: number;
  readonly columns: readonly string[];
  readonly dtypes: readonly unknown[];
  head(rows: number): DataFrameLike;
  tail(rows: number): DataFrameLike;
  slice(offset: number, length: number): DataFrameLike;
  rows(): unknown[][];
  toString(): string;
}

interface SeriesLike {
  readonly name: string;
  readonly dtype: unknown;
  toFrame(): DataFrameLike;
  toArray(): unknown[];
  toString(): string;
}

/** A frame of more rows shows its first and last, and pages to unfold. */
const ROWS_SHOWN = 20;
const ROWS_A_PAGE = 40;
/** What is shown is saved with the notebook: so many rows are in pages, fewer where that makes more than so many cells. */
const ROWS_PAGED = 200;
const CELLS_PAGED = 4000;
const COLUMNS_SHOWN = 40;
const CELL_CHARACTERS = 120;

/** Frames and series are proxies: what they are is told by their tag and the native part they wrap. */
export const isDataFrame = (value: object): value is DataFrameLike => wraps(value, "DataFrame", "_df");
export const isSeries = (value: object): value is SeriesLike => wraps(value, "Series", "_s");

function wraps(value: object, name: string, native: string): boolean {
  const tag = probe(value, Symbol.toStringTag);
  const says: unknown = typeof tag === "function" ? tag.call(value) : tag;
  return says === name && typeof probe(value, native) === "object";
}

/** A table with dtypes for those who see HTML, Polars' own box for the rest. */
export function frameBundle(value: DataFrameLike | SeriesLike): MimeBundle {
  const frame = isSeries(value) ? value.toFrame() : (value as DataFrameLike);
  return { "text/html": frameHtml(frame), "text/plain": String(value) };
}

function frameHtml(frame: DataFrameLike): string {
  const { height, width } = frame;
  const half = ROWS_SHOWN / 2;
  const gap = `<tr>${frame.columns
    .slice(0, COLUMNS_SHOWN)
    .map(() => "<td>…</td>")
    .join("")}</tr>`;
  const body =
    height <= ROWS_SHOWN ? rowsHtml(frame) : `${rowsHtml(frame.head(half))}${gap}${rowsHtml(frame.tail(half))}`;
  const hidden = width > COLUMNS_SHOWN ? `, ${width - COLUMNS_SHOWN} columns not shown` : "";
  return (
    `<div>${tableHtml(frame, body)}<p><small>${height} rows × ${width} columns${hidden}</small></p>` +
    `${height <= ROWS_SHOWN ? "" : pagesHtml(frame)}</div>`
  );
}

/** The rows by pages that unfold: plain HTML, so that they turn in a saved notebook and on a page without scripts, too. */
function pagesHtml(frame: DataFrameLike): string {
  const { height } = frame;
  const paged = Math.min(height, ROWS_PAGED, Math.floor(CELLS_PAGED / Math.min(frame.width, COLUMNS_SHOWN)));
  const pages = [];
  for (let from = 0; from < paged; from += ROWS_A_PAGE) {
    const page = frame.slice(from, Math.min(ROWS_A_PAGE, paged - from));
    pages.push(
      `<details><summary><small>rows ${from} to ${from + page.height - 1}</small></summary>` +
        `${tableHtml(frame, rowsHtml(page))}</details>`,
    );
  }
  const rest =
    paged < height
      ? `<p><small>more rows: frame.slice(${paged}, ${Math.min(ROWS_PAGED, height - paged)})</small></p>`
      : "";
  return pages.join("") + rest;
}

function tableHtml(frame: DataFrameLike, body: string): string {
  const shown = frame.columns.slice(0, COLUMNS_SHOWN);
  const names = shown.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const dtypes = shown.map((_, at) => `<td><small>${escapeHtml(dtypeName(frame.dtypes[at]))}</small></td>`).join("");
  return (
    `<table class="dataframe" border="1"><thead><tr>${names}</tr><tr>${dtypes}</tr></thead>` +
    `<tbody>${body}</tbody></table>`
  );
}

const rowsHtml = (frame: DataFrameLike): string =>
  frame
    .rows()
    .map(
      (cells) =>
        `<tr>${cells
          .slice(0, COLUMNS_SHOWN)
          .map((cell) => `<td>${escapeHtml(cellText(cell))}</td>`)
          .join("")}</tr>`,
    )
    .join("");

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
