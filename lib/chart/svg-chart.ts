import { type ChartData, MOST_TRACES, type Trace } from "./chart-data.ts";

const WIDTH = 700;
const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 16;
const TOP = 28;
const BOTTOM = 44;
const BINS = 30;
/** Told apart also by people who confuse red and green (Okabe and Ito). */
const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#555555"];
/** A drawing 700 points wide shows no more than this. */
const MOST_POINTS = 1400;

interface Scale {
  (value: number): number;
  readonly min: number;
  readonly max: number;
}

/** The chart as a picture that needs no script: what shows where Plotly is not at hand. */
export function svgChart(data: ChartData, title: string): string {
  const chart = data.kind === "histogram" ? histogram(data) : data;
  const traces = chart.traces.slice(0, MOST_TRACES).map(thinned);
  const categories =
    chart.xIsTime || traces.every(({ x }) => x.every((value) => typeof value !== "string"))
      ? undefined
      : distinct(traces);
  const place = (value: number | string | null): number =>
    value === null ? Number.NaN : categories === undefined ? Number(value) : categories.indexOf(String(value));
  const xs = traces.flatMap(({ x }) => x.map(place)).filter(Number.isFinite);
  const ys = traces.flatMap(({ y }) => y).filter((value) => value !== null && Number.isFinite(value)) as number[];
  const bars = chart.kind === "bar";
  const x = scale(xs, LEFT, WIDTH - RIGHT, bars ? 0.5 : 0);
  const y = scale(bars ? [0, ...ys] : ys, HEIGHT - BOTTOM, TOP, 0);
  const shapes = traces.map((trace, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const points = trace.x.map((value, row) => [place(value), trace.y[row] ?? Number.NaN] as const);
    return `<g fill="${colour}" stroke="${colour}"><title>${escapeXml(trace.name)}</title>${shape(chart.kind, points, x, y, xs.length, i, traces.length)}</g>`;
  });
  const xText = (value: number) =>
    categories !== undefined
      ? (categories[Math.round(value)] ?? "")
      : chart.xIsTime
        ? clock(value, x.max - x.min)
        : short(value);
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeXml(`${title}: ${chart.yTitle} over ${chart.xTitle}`)}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="11"><rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>` +
    `${axes(x, y, xText)}${shapes.join("")}` +
    `<g fill="#222222"><text x="${WIDTH / 2}" y="16" text-anchor="middle" font-size="13">${escapeXml(title)}</text>` +
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeXml(chart.xTitle)}</text>` +
    `<text transform="rotate(-90)" x="${-(HEIGHT / 2)}" y="14" text-anchor="middle">${escapeXml(chart.yTitle)}</text></g>${legend(traces)}</svg>`
  );
}

type Points = readonly (readonly [number, number])[];

function shape(
  kind: ChartData["kind"],
  points: Points,
  x: Scale,
  y: Scale,
  count: number,
  at: number,
  of: number,
): string {
  const seen = points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  if (kind === "scatter")
    return seen.map(([a, b]) => `<circle cx="${px(x(a))}" cy="${px(y(b))}" r="2" stroke="none"/>`).join("");
  if (kind === "bar") {
    const width = Math.max(1, ((WIDTH - LEFT - RIGHT) / Math.max(1, count / of) / of) * 0.8);
    const shift = (at - (of - 1) / 2) * width;
    return seen
      .map(([a, b]) => {
        const [top, bottom] = [Math.min(y(b), y(0)), Math.max(y(b), y(0))];
        return `<rect x="${px(x(a) + shift - width / 2)}" y="${px(top)}" width="${px(width)}" height="${px(bottom - top)}" stroke="none"/>`;
      })
      .join("");
  }
  // a null interrupts the line
  let path = "";
  let pen = "M";
  for (const [a, b] of points) {
    if (Number.isFinite(a) && Number.isFinite(b)) {
      path += `${pen}${px(x(a))} ${px(y(b))}`;
      pen = "L";
    } else pen = "M";
  }
  return `<path d="${path}" fill="none" stroke-width="1.5"/>`;
}

function axes(x: Scale, y: Scale, xText: (value: number) => string): string {
  const lines: string[] = [];
  for (let i = 0; i <= 4; i++) {
    const [a, b] = [x.min + ((x.max - x.min) * i) / 4, y.min + ((y.max - y.min) * i) / 4];
    lines.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${px(y(b))}" y2="${px(y(b))}" stroke="#dddddd"/>` +
        `<text x="${LEFT - 6}" y="${px(y(b) + 4)}" text-anchor="end" fill="#444444">${escapeXml(short(b))}</text>` +
        `<text x="${px(x(a))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#444444">${escapeXml(xText(a))}</text>`,
    );
  }
  return lines.join("");
}

function legend(traces: readonly Trace[]): string {
  if (traces.length < 2) return "";
  return traces
    .slice(0, 12)
    .map(({ name }, i) => {
      const y = TOP + 8 + i * 15;
      return `<rect x="${WIDTH - 130}" y="${y - 8}" width="9" height="9" fill="${COLOURS[i % COLOURS.length]}"/><text x="${WIDTH - 117}" y="${y}" fill="#222222">${escapeXml(name)}</text>`;
    })
    .join("");
}

function scale(values: readonly number[], from: number, to: number, margin: number): Scale {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (values.length === 0) [min, max] = [0, 1];
  else if (min === max) [min, max] = [min - 0.5, max + 0.5];
  const extra = values.length < 2 ? 0 : (margin * (max - min)) / Math.max(1, values.length);
  [min, max] = [min - extra, max + extra];
  return Object.assign((value: number) => from + ((value - min) / (max - min)) * (to - from), { min, max });
}

/** Counts per bin, as bars. */
function histogram(data: ChartData): ChartData {
  const values = data.traces
    .flatMap(({ y }) => y)
    .filter((value) => value !== null && Number.isFinite(value)) as number[];
  const { min, max } = scale(values, 0, 1, 0);
  const width = (max - min) / BINS;
  const centres = Array.from({ length: BINS }, (_, bin) => min + (bin + 0.5) * width);
  const traces = data.traces.map(({ name, y }) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of y)
      if (value !== null && Number.isFinite(value)) counts[Math.min(BINS - 1, Math.floor((value - min) / width))]!++;
    return { name, x: centres, y: counts };
  });
  return { kind: "bar", xTitle: data.yTitle, yTitle: "rows", xIsTime: false, traces };
}

function thinned(trace: Trace): Trace {
  const step = Math.ceil(trace.x.length / MOST_POINTS);
  if (step <= 1) return trace;
  const kept = (_: unknown, i: number) => i % step === 0;
  return { name: trace.name, x: trace.x.filter(kept), y: trace.y.filter(kept) };
}

const distinct = (traces: readonly Trace[]): string[] => [...new Set(traces.flatMap(({ x }) => x.map(String)))];

const px = (value: number): string => value.toFixed(1);

const short = (value: number): string => String(Number(value.toPrecision(4)));

/** As much of a time as the span needs: hours and minutes, or with seconds, or with milliseconds. */
function clock(ms: number, span: number): string {
  const text = new Date(ms).toISOString();
  if (span > 2 * 86_400_000) return text.slice(0, 10);
  return span > 3_600_000 ? text.slice(11, 16) : span > 10_000 ? text.slice(11, 19) : text.slice(11, 23);
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};
const escapeXml = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);
