import type pl from "nodejs-polars";
import { chartBundle, chartData } from "../../chart/index.ts";
import type { PlotOptions } from "../../frame/driver.ts";
import type { MimeBundle } from "../host.ts";
import { badPanelHtml, badPanelText } from "./bad-panel.ts";
import { driftHtml } from "./drift-panel.ts";
import { escapeHtml } from "./html.ts";
import { type NotebookStatus, readLine, statusLine } from "./live-status.ts";
import { errorHtml } from "./table-view.ts";

/** Rows kept for a chart unless `keep` says otherwise. What a drawing carries is thinned out besides. */
export const CHART_ROWS = 10_000;

/** @throws Refusal `UNKNOWN_COLUMN`, `NOTHING_TO_PLOT` when these columns cannot make this chart */
export function checkChart(empty: pl.DataFrame, options: PlotOptions): void {
  chartData(empty, options);
}

/** A chart with the status line and the counted error panel under it. */
export function liveChartBundle(
  frame: pl.DataFrame,
  status: NotebookStatus,
  options: PlotOptions,
  title: string,
  id?: string,
): MimeBundle {
  const failed = status.error !== undefined;
  const chart = chartBundle(failed && frame.height === 0 ? frame.select() : frame, options, title, id);
  const line = statusLine(status);
  const read = readLine(status);
  const html = `<div role="status" aria-live="off"><small>${escapeHtml(line)}<br>${escapeHtml(read)}</small></div>${driftHtml(status.drift)}`;
  const error = failed ? `\n${(status.error as Error).message}` : "";
  return {
    ...chart,
    "text/html": `<div class="millrace-live">${chart["text/html"]}${html}${badPanelHtml(status.badRecords, status.bad)}${errorHtml(status.error)}</div>`,
    "text/plain":
      [chart["text/plain"], line, read, ...status.drift, ...badPanelText(status.badRecords, status.bad)].join("\n") +
      error,
  };
}
