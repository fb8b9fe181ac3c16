import type pl from "nodejs-polars";
import { type ChartData, type ChartOptions, chartData, MOST_TRACES } from "./chart-data.ts";
import { plotlyFigure } from "./plotly-figure.ts";
import { svgChart } from "./svg-chart.ts";

/** A chart of a frame: Plotly for those who have it, a picture without script for the rest, and words. */
export function chartBundle(frame: pl.DataFrame, options: ChartOptions, title: string): Record<string, unknown> {
  const data: ChartData =
    frame.width === 0
      ? { kind: options.kind ?? "line", xTitle: "", yTitle: "", xIsTime: false, traces: [] }
      : chartData(frame, options);
  const hidden = data.traces.length - MOST_TRACES;
  const said = hidden > 0 ? `${title} (${hidden} of ${data.traces.length} traces not shown)` : title;
  return {
    "application/vnd.plotly.v1+json": plotlyFigure(data, said),
    "text/html": svgChart(data, said),
    "text/plain": `${said}: ${data.kind} of ${data.yTitle} over ${data.xTitle}, ${data.traces.length} traces, ${frame.height} rows`,
  };
}
