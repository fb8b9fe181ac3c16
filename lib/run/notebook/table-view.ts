import type pl from "nodejs-polars";
import { dtypeName } from "../../schema.ts";
import { zonedTime, zoneOf } from "../../zoned-time.ts";
import type { MimeBundle } from "../host.ts";
import { badPanelHtml, badPanelText } from "./bad-panel.ts";
import { driftHtml } from "./drift-panel.ts";
import { escapeHtml } from "./html.ts";
import type { NotebookStatus } from "./live-status.ts";
import { readLine, statusLine } from "./live-status.ts";
import { sparklineHtml } from "./sparkline.ts";

const LIVE_MIME = "application/vnd.millrace.live+json";
const COLUMNS_SHOWN = 40;
const CELL_CHARACTERS = 80;

export interface TableViewOptions {
  /** Of the table, for those who hear it. */
  readonly title: string;
  /** Said above the table, e.g. that a sink is only previewed. */
  readonly note?: string;
  /** Rows shown: the latest. */
  readonly rows: number;
}

/** The latest rows as a table with names and dtypes, a status line, and the counted error panel. No script; the same mime types every time. */
export function tableBundle(
  frame: pl.DataFrame,
  status: NotebookStatus,
  options: TableViewOptions,
  id?: string,
): MimeBundle {
  const shown = frame.tail(options.rows);
  const line = statusLine(status);
  const read = readLine(status);
  const range =
    shown.height < frame.height ? `the latest ${shown.height} of ${frame.height} rows kept` : `${frame.height} rows`;
  const note = options.note === undefined ? [] : [options.note];
  const html =
    `<div class="millrace-live">${note.map((text) => `<p>${escapeHtml(text)}</p>`).join("")}` +
    `<div role="status" aria-live="off">${sparklineHtml(status.history)}<small>${escapeHtml(line)}</small></div>` +
    `${tableHtml(shown, `${options.title}: ${range}`)}<p><small>${escapeHtml(read)}</small></p>` +
    `${driftHtml(status.drift)}${badPanelHtml(status.badRecords, status.bad)}${errorHtml(status.error)}</div>`;
  const text = [
    ...note,
    line,
    String(shown),
    read,
    ...status.drift,
    ...badPanelText(status.badRecords, status.bad),
    ...errorText(status.error),
  ];
  return {
    // for front ends that can ask the kernel for more; they too have the rest, for when the kernel is gone
    ...(id !== undefined && { [LIVE_MIME]: { id, title: options.title } }),
    "text/html": html,
    "text/plain": text.join("\n"),
  };
}

function tableHtml(frame: pl.DataFrame, caption: string): string {
  const columns = frame.columns.slice(0, COLUMNS_SHOWN);
  const hidden = frame.width - columns.length;
  const head = columns
    .map(
      (name, i) =>
        `<th scope="col">${escapeHtml(name)}<br><small>${escapeHtml(dtypeName(frame.dtypes[i]!))}</small></th>`,
    )
    .join("");
  const cells = columns.map((name) => frame.getColumn(name).toArray() as unknown[]);
  const dtypes = columns.map((_, i) => dtypeName(frame.dtypes[i]!));
  const body = Array.from({ length: frame.height }, (_, row) => {
    const row_ = cells.map((column, i) => `<td>${escapeHtml(cellText(column[row], dtypes[i]!))}</td>`);
    return `<tr>${row_.join("")}</tr>`;
  });
  const more = hidden > 0 ? `, ${hidden} more columns` : "";
  return (
    `<table class="dataframe" border="1"><caption><small>${escapeHtml(caption + more)}</small></caption>` +
    `<thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`
  );
}

function cellText(value: unknown, dtype: string): string {
  const zone = value instanceof Date ? zoneOf(dtype) : undefined;
  const text = zone === undefined ? plainText(value) : zonedTime(Number(value), zone);
  return text.length > CELL_CHARACTERS ? `${text.slice(0, CELL_CHARACTERS)}…` : text;
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (value instanceof Date) return value.toISOString().replace("T", " ").replace("Z", "");
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(7)));
  if (typeof value !== "object") return String(value);
  return JSON.stringify(value, (_key, each) => (typeof each === "bigint" ? String(each) : each));
}

const errorText = (error: unknown): string[] =>
  error === undefined ? [] : [(error as Error).message ?? String(error)];

export const errorHtml = (error: unknown): string =>
  errorText(error)
    .map((text) => `<pre role="alert">${escapeHtml(text)}</pre>`)
    .join("");
