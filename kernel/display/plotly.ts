import { types } from "node:util";
import type { MimeBundle } from "../../lib/run/host.ts";
import { isSeries } from "./frame.ts";
import { escapeHtml } from "./html.ts";
import { asJson } from "./json.ts";
import { plotlyPicture, titleText } from "./plotly-picture.ts";
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

/** The figure for front ends that draw it, and for those that do not a picture where it is of a kind that has one, and a table of its traces. */
export function plotlyBundle(figure: Figure): MimeBundle {
  const { data, ...rest } = figure;
  const traces = data.map((trace) => plain(trace) as Record<string, unknown>);
  const rows = traces.map(({ type = "scatter", name = "", x, y }) => {
    const points = Array.isArray(y) ? y.length : Array.isArray(x) ? x.length : 0;
    return [String(type), String(name), String(points)];
  });
  const title = titleText(figure.layout.title) ?? "Plotly figure";
  const table = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join("")}</tr>`).join("");
  const json = asJson({ ...(plain(rest) as object), data: traces }, "a Plotly figure") as unknown as Figure;
  const picture = plotlyPicture(json.data, json.layout, title) ?? "";
  return {
    [PLOTLY]: json,
    "text/html": `${picture}<table class="dataframe" border="1"><caption>${escapeHtml(title)}</caption><thead><tr><th>type</th><th>name</th><th>points</th></tr></thead><tbody>${table}</tbody></table>`,
    "text/plain": `${title}: ${rows.map(([type, name, points]) => `${type} ${name} (${points} points)`).join(", ")}`,
  };
}

/**
 * Typed arrays and Polars series as plain arrays, wherever in the figure they are: the only form Plotly's JSON has; bigints as numbers.
 *
 * @param above what this is a part of: a cycle is left as it is, to be refused as no JSON
 */
function plain(value: unknown, above: readonly object[] = []): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null || above.includes(value)) return value;
  if (types.isBigInt64Array(value) || types.isBigUint64Array(value)) return Array.from(value, Number);
  if (types.isTypedArray(value)) return Array.from(value as Iterable<unknown>);
  const path = [...above, value];
  if (isSeries(value)) return plain(value.toArray(), path);
  if (Array.isArray(value)) return value.some(isMore) ? value.map((each) => plain(each, path)) : value;
  const prototype = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || typeof probe(value, "toJSON") === "function")
    return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each, path)]));
}

const isMore = (value: unknown) => typeof value === "bigint" || (typeof value === "object" && value !== null);
