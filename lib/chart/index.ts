/** Figures from frames. */
export { chartBundle } from "./chart-bundle.ts";
export { type ChartData, type ChartKind, type ChartOptions, chartData, type Trace } from "./chart-data.ts";
export { type PlotlyFigure, plotlyFigure } from "./plotly-figure.ts";
export { svgChart } from "./svg-chart.ts";
