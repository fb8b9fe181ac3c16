import type pl from "nodejs-polars";
import { type ChartData, type ChartOptions, chartData, MOST_TRACES } from "./chart-data.ts";
import { plotlyFigure } from "./plotly-figure.ts";
import { svgChart } from "./svg-chart.ts";

/** A chart of a frame: Plotly for those who have it, a picture without script for the rest, and words. @param id by which a front end asks for more */
export function chartBundle(
  frame: pl.DataFrame,
  options: ChartOptions,
  title: string,
  id?: string,
): Record<string, unknown> {
  const data = dataOf(frame, options);
  const said = chartTitle(data, title);
  return {
    "application/vnd.plotly.v1+json": plotlyFigure(data, { title: said, id, link: options.link }),
    "text/html": svgChart(data, said),
    "text/plain": `${said}: ${data.kind} of ${data.yTitle} over ${data.xTitle}, ${data.cells === undefined ? `${data.traces.length} traces, ` : ""}${frame.height} rows`,
  };
}

/** The data of a chart; empty for a frame without columns. */
export function dataOf(frame: pl.DataFrame, options: ChartOptions): ChartData {
  return frame.width === 0
    ? { kind: options.kind ?? "line", xTitle: "", yTitle: "", xIsTime: false, traces: [] }
    : chartData(frame, options);
}

/** With what is not shown. */
export function chartTitle({ traces, cells }: ChartData, title: string): string {
  const hidden = traces.length - MOST_TRACES;
  if (hidden > 0) return `${title} (${hidden} of ${traces.length} traces not shown)`;
  return cells !== undefined && cells.left > 0 ? `${title} (${cells.left} values of y not shown)` : title;
}
