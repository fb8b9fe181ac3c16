import { type ChartData, MOST_TRACES } from "./chart-data.ts";
import { COLOURS } from "./colours.ts";

/** What the mime type `application/vnd.plotly.v1+json` holds. */
export interface PlotlyFigure {
  readonly data: readonly Readonly<Record<string, unknown>>[];
  readonly layout: Readonly<Record<string, unknown>>;
}

export interface FigureOptions {
  readonly title: string;
  /** By which a front end asks for more of it. */
  readonly id?: string;
  /** Charts of one name are zoomed together. */
  readonly link?: string;
}

/** The chart for Plotly. `uirevision` keeps zoom and hidden traces when the next snapshot comes. */
export function plotlyFigure(data: ChartData, { title, id, link }: FigureOptions): PlotlyFigure {
  const { kind, traces, xTitle, yTitle, xIsTime, yIsTime = false } = data;
  return {
    data:
      data.cells === undefined ? traces.slice(0, MOST_TRACES).map((trace) => plotlyTrace(data, trace)) : [heat(data)],
    layout: {
      title: { text: plain(title), font: { size: 15 } },
      margin: { l: 64, r: 24, t: 44, b: 48 },
      xaxis: { title: { text: plain(xTitle) }, ...(xIsTime && { type: "date" }) },
      yaxis: {
        title: { text: plain(yTitle) },
        automargin: true,
        ...(yIsTime && { type: "date" }),
        ...(kind === "heatmap" && !yIsTime && typeof data.cells?.y[0] === "string" && { type: "category" }),
      },
      colorway: COLOURS,
      ...(kind === "histogram" && { bargap: 0.05 }),
      showlegend: traces.length > 1,
      uirevision: "millrace",
      ...((id !== undefined || link !== undefined) && {
        meta: { millrace: { ...(id && { id }), ...(link && { link }) } },
      }),
    },
  };
}

const TYPES = {
  line: { type: "scatter", mode: "lines" },
  scatter: { type: "scatter", mode: "markers" },
  bar: { type: "bar" },
  histogram: { type: "bar" },
} as const;

function plotlyTrace({ kind, xIsTime }: ChartData, { name, x, y }: ChartData["traces"][number]) {
  const lone = kind === "line" && x.length < 2 && { mode: "markers" }; // a line of one point would not be seen
  return {
    ...TYPES[kind as keyof typeof TYPES],
    ...lone,
    name: plain(legendName(name)),
    x: axisValues(x, xIsTime),
    y: y.map(finite),
  };
}

function heat({ cells, xIsTime, yIsTime = false, zTitle }: ChartData): Record<string, unknown> {
  const { x, y, z } = cells!;
  const colorbar = { title: { text: plain(zTitle ?? "") }, thickness: 12 };
  return {
    type: "heatmap",
    x: axisValues(x, xIsTime),
    y: axisValues(y, yIsTime),
    z,
    colorscale: "Viridis",
    hoverongaps: false,
    colorbar,
  };
}

/** Values of an axis as Plotly reads them: instants in ISO 8601 (UTC), and texts that stay what they are. */
export const axisValues = (
  values: readonly (number | string | null)[],
  areTimes: boolean,
): readonly (number | string | null)[] =>
  areTimes
    ? values.map((ms) => (typeof ms === "number" && Number.isFinite(ms) ? new Date(ms).toISOString() : null))
    : values.map((value) => (typeof value === "string" ? plain(value) : finite(value)));

/** Plotly takes `<b>` and `&amp;` in a text for markup. */
export const plain = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** JSON has no NaN and no infinity. */
export const finite = (value: number | null): number | null =>
  value !== null && Number.isFinite(value) ? value : null;

/** A legend with longer names leaves no room for the chart. */
const legendName = (name: string): string => (name.length > 40 ? `${name.slice(0, 39)}…` : name);
