import { type ChartData, MOST_TRACES, type Trace } from "./chart-data.ts";
import { COLOURS, shade } from "./colours.ts";
import { extremes } from "./extremes.ts";

const WIDTH = 700;
const HEIGHT = 320;
const LEFT = 64;
const RIGHT = 16;
const TOP = 28;
const BOTTOM = 44;
/** A drawing 700 points wide shows no more than this. */
const MOST_POINTS = 1400;

interface Scale {
  (value: number): number;
  readonly min: number;
  readonly max: number;
}

/** The chart as a picture that needs no script: what shows where Plotly is not at hand. */
export function svgChart(data: ChartData, title: string): string {
  if (data.cells !== undefined) return svgHeatMap(data, title);
  const chart: ChartData = data.kind === "histogram" ? { ...data, kind: "bar" } : data;
  const traces = chart.traces.slice(0, MOST_TRACES).map((trace) => extremes(trace, MOST_POINTS));
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
  return frameOf(chart, title, `${axes(x, y, xText)}${shapes.join("")}${legend(traces)}`);
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

/** A rectangle per cell, and the scale of its colours in words. */
function svgHeatMap(data: ChartData, title: string): string {
  const { x, y, z } = data.cells!;
  const values = z.flat().filter((value) => value !== null) as number[];
  const [min, max] = [
    values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  const [width, height] = [
    (WIDTH - LEFT - RIGHT) / Math.max(1, x.length),
    (HEIGHT - TOP - BOTTOM) / Math.max(1, y.length),
  ];
  const cells = z.flatMap((line, i) =>
    line.map((value, j) =>
      value === null
        ? ""
        : `<rect x="${px(LEFT + j * width)}" y="${px(HEIGHT - BOTTOM - (i + 1) * height)}" width="${px(width + 0.3)}" height="${px(height + 0.3)}" fill="${shade((value - min) / (max - min || 1))}"/>`,
    ),
  );
  const text = (value: number | string | undefined, isTime: boolean, of: readonly (number | string)[]) =>
    typeof value !== "number" ? (value ?? "") : isTime ? clock(value, Number(of.at(-1)) - Number(of[0])) : short(value);
  const every = (count: number) => Math.max(1, Math.ceil(count / 8));
  const labels = [
    ...x.flatMap((value, j) =>
      j % every(x.length) !== 0
        ? []
        : [
            `<text x="${px(LEFT + (j + 0.5) * width)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeXml(text(value, data.xIsTime, x))}</text>`,
          ],
    ),
    ...y.flatMap((value, i) =>
      i % every(y.length) !== 0
        ? []
        : [
            `<text x="${LEFT - 6}" y="${px(HEIGHT - BOTTOM - (i + 0.5) * height + 4)}" text-anchor="end">${escapeXml(text(value, data.yIsTime === true, y).slice(0, 12))}</text>`,
          ],
    ),
  ];
  const range = values.length === 0 ? "no rows" : `${data.zTitle}: ${short(min)} (dark) to ${short(max)} (bright)`;
  return frameOf(data, `${title} · ${range}`, `${cells.join("")}<g fill="#444444">${labels.join("")}</g>`);
}

/** Title, titles of the axes, and a white ground. */
function frameOf({ xTitle, yTitle }: ChartData, title: string, inside: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="${escapeXml(`${title}: ${yTitle} over ${xTitle}`)}" viewBox="0 0 ${WIDTH} ${HEIGHT}" ` +
    `width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="11"><rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>` +
    `${inside}<g fill="#222222"><text x="${WIDTH / 2}" y="16" text-anchor="middle" font-size="13">${escapeXml(title)}</text>` +
    `<text x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeXml(xTitle)}</text>` +
    `<text transform="rotate(-90)" x="${-(HEIGHT / 2)}" y="14" text-anchor="middle">${escapeXml(yTitle)}</text></g></svg>`
  );
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
