import { type ChartData, type ChartKind, histogram, svgChart, type Trace } from "../../lib/chart/index.ts";

type Json = Readonly<Record<string, unknown>>;

/**
 * A Plotly figure of lines, points, bars, histograms or one heat map as a picture that needs no script. Undefined for any other: it would show something
 * else than Plotly does.
 * @param data the traces, and the layout, as Plotly's JSON
 */
export function plotlyPicture(data: readonly Json[], layout: Json, title: string): string | undefined {
  const shown = data.filter(({ visible }) => visible !== false && visible !== "legendonly");
  if (shown.length === 0) return undefined;
  const titleOf = (axis: unknown) => titleText((axis as Json | undefined)?.title) ?? "";
  const titles = { xTitle: titleOf(layout.xaxis), yTitle: titleOf(layout.yaxis) };
  const chart = shown[0]!.type === "heatmap" ? heatMap(shown, titles) : traces(shown, titles);
  return chart && svgChart(chart, title);
}

type Titles = Pick<ChartData, "xTitle" | "yTitle">;

function traces(data: readonly Json[], titles: Titles): ChartData | undefined {
  const kinds = new Set(data.map(kindOf));
  const [kind] = kinds.size === 2 && kinds.has("line") && kinds.has("scatter") ? (["line"] as const) : [...kinds];
  if (kind === undefined || (kinds.size > 1 && kind !== "line")) return undefined;
  const made = data.map((trace, i) => {
    const { x, y, name = data.length > 1 ? `trace ${i}` : "" } = trace;
    if (kind === "histogram") return numbers(x) && { name: String(name), x: [], y: x };
    if (!numbers(y)) return undefined;
    const places: unknown = x ?? y.map((_, row) => row);
    return cells(places) ? { name: String(name), x: places, y } : undefined;
  });
  if (!made.every((trace) => trace !== undefined && trace !== false)) return undefined;
  const all = made as Trace[];
  if (kind === "histogram") return { kind, ...titles, xIsTime: false, traces: histogram(all) };
  const values = all.flatMap(({ x }) => x).filter((value) => value !== null);
  const xIsTime = values.length > 0 && values.every((value) => typeof value === "string" && TIME.test(value));
  return { kind, ...titles, xIsTime, traces: xIsTime ? all.map(withTimes) : all };
}

function heatMap(data: readonly Json[], titles: Titles): ChartData | undefined {
  const [{ z, x, y, name = "z" }] = data as [Json];
  if (data.length > 1 || !Array.isArray(z) || z.length === 0 || !z.every(numbers)) return undefined;
  const lines: (number | null)[][] = z;
  const width = Math.max(...lines.map((line) => line.length));
  const across: unknown = x ?? Array.from({ length: width }, (_, column) => column);
  const up: unknown = y ?? lines.map((_, line) => line);
  if (!labels(across, width) || !labels(up, lines.length)) return undefined;
  const whole = lines.map((line) => Array.from({ length: width }, (_, column) => line[column] ?? null));
  const cells = { x: across, y: up, z: whole, left: 0 };
  return { kind: "heatmap", ...titles, zTitle: String(name), xIsTime: false, traces: [], cells };
}

function kindOf({ type = "scatter", mode, orientation, x0, dx, stackgroup, fill }: Json): ChartKind | undefined {
  if (orientation === "h" || x0 !== undefined || dx !== undefined || stackgroup !== undefined) return undefined;
  if (type === "bar" || type === "histogram") return type;
  if (type !== "scatter" && type !== "scattergl") return undefined;
  const parts = typeof mode === "string" ? mode.split("+") : ["lines"];
  if (parts.includes("lines")) return "line";
  return parts.includes("markers") && fill === undefined ? "scatter" : undefined;
}

const numbers = (value: unknown): value is (number | null)[] =>
  Array.isArray(value) && value.every((one) => one === null || typeof one === "number");
const cells = (value: unknown): value is (number | string | null)[] =>
  Array.isArray(value) && value.every((one) => one === null || typeof one === "number" || typeof one === "string");
const labels = (value: unknown, count: number): value is (number | string)[] =>
  cells(value) && value.length === count && !value.includes(null);

/** As Plotly writes them: a day, or a day and a time, which without a zone is UTC. */
const TIME = /^\d{4}-\d\d-\d\d(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

function withTimes({ name, x, y }: Trace): Trace {
  return { name, x: x.map((value) => (value === null ? null : timeOf(value as string))), y };
}

function timeOf(text: string): number {
  const whole = text.length === 13 ? `${text}:00` : text;
  const zoned = whole.length > 10 && !/(?:Z|[+-]\d\d:?\d\d)$/.test(whole.slice(10)) ? `${whole}Z` : whole;
  return Date.parse(zoned.replace(" ", "T"));
}

/** A title of a figure or an axis: Plotly takes a text, or an object with one. */
export function titleText(title: unknown): string | undefined {
  const text = typeof title === "string" ? title : (title as Json | null | undefined)?.text;
  return typeof text === "string" ? text : undefined;
}
