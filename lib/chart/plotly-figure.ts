import { type ChartData, MOST_TRACES } from "./chart-data.ts";

/** What the mime type `application/vnd.plotly.v1+json` holds. */
export interface PlotlyFigure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

/** The chart for Plotly. `uirevision` keeps zoom and hidden traces when the next snapshot comes. */
export function plotlyFigure({ kind, traces, xTitle, yTitle, xIsTime }: ChartData, title: string): PlotlyFigure {
  const instants = (x: (typeof traces)[number]["x"]) =>
    xIsTime ? x.map((ms) => (ms === null ? null : new Date(ms).toISOString())) : x;
  return {
    data: traces
      .slice(0, MOST_TRACES)
      .map(({ name, x, y }) =>
        kind === "histogram"
          ? { type: "histogram", name, x: y }
          : kind === "bar"
            ? { type: "bar", name, x: instants(x), y }
            : { type: "scatter", mode: kind === "line" ? "lines" : "markers", name, x: instants(x), y },
      ),
    layout: {
      title: { text: title },
      xaxis: {
        title: { text: kind === "histogram" ? yTitle : xTitle },
        ...(xIsTime && kind !== "histogram" && { type: "date" }),
      },
      yaxis: { title: { text: kind === "histogram" ? "rows" : yTitle } },
      showlegend: traces.length > 1,
      uirevision: "millrace",
    },
  };
}
