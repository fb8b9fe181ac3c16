/** Figures from frames. */
export { histogram } from "./bins.ts";
export { chartBundle, chartTitle, dataOf } from "./chart-bundle.ts";
export { type ChartChange, chartChange } from "./chart-change.ts";
export { type ChartData, type ChartKind, type ChartOptions, chartData, type Trace } from "./chart-data.ts";
export { extremes } from "./extremes.ts";
export { type PlotlyFigure, plotlyFigure } from "./plotly-figure.ts";
export { svgChart } from "./svg-chart.ts";
