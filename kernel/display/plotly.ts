import { types } from "node:util";
import type { MimeBundle } from "../../lib/run/host.ts";
import { isSeries } from "./frame.ts";
import { escapeHtml } from "./html.ts";
import { asJson } from "./json.ts";
import { probe } from "./probe.ts";

const PLOTLY = "application/vnd.plotly.v1+json";

interface Figure {
  readonly data: readonly Record<string, unknown>[];
  readonly layout: Record<string, unknown>;
}

/** A Plotly figure: `{ data: [traces], layout }`. */
export function isPlotlyFigure(value: object): value is Figure {
  const data = probe(value, "data");
  const layout = probe(value, "layout");
  return (
    Array.isArray(data) &&
    typeof layout === "object" &&
    layout !== null &&
    data.every((trace) => typeof trace === "object")
  );
}

/** The figure for front ends that draw it, and a table of its traces for those that do not. */
export function plotlyBundle(figure: Figure): MimeBundle {
  const rows = figure.data.map(plainTrace).map(({ type = "scatter", name = "", x, y }) => {
    const points = Array.isArray(y) ? y.length : Array.isArray(x) ? x.length : 0;
    return [String(type), String(name), String(points)];
  });
  const title = titleOf(figure.layout.title);
  const table = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`).join("");
  return {
    [PLOTLY]: asJson({ ...figure, data: figure.data.map(plainTrace) }, "a Plotly figure"),
    "text/html": `<table class="dataframe" border="1"><caption>${escapeHtml(title)}</caption><thead><tr><th>type</th><th>name</th><th>points</th></tr></thead><tbody>${table}</tbody></table>`,
    "text/plain": `${title}: ${rows.map(([type, name, points]) => `${type} ${name} (${points} points)`).join(", ")}`,
  };
}

/** Typed arrays and Polars series as plain arrays, the only form Plotly's JSON has; bigints as numbers. */
function plainTrace(trace: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain = (value: unknown): unknown => {
    if (types.isTypedArray(value)) return Array.from(value as Iterable<unknown>, plain);
    if (typeof value === "bigint") return Number(value);
    return typeof value === "object" && value !== null && isSeries(value) ? value.toArray().map(plain) : value;
  };
  return Object.fromEntries(Object.entries(trace).map(([name, value]) => [name, plain(value)]));
}

function titleOf(title: unknown): string {
  if (typeof title === "string") return title;
  const { text } = (title ?? {}) as { text?: unknown };
  return typeof text === "string" ? text : "Plotly figure";
}
