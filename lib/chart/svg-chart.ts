import { type ChartData, MOST_TRACES, type Trace } from "./chart-data.ts";
import { COLOURS, shade } from "./colours.ts";
import { extremes } from "./extremes.ts";
import { roundTicks, timeTicks } from "./ticks.ts";

const WIDTH = 700;
const HEIGHT = 320;
const LEFT = 64;
/** Half of the text of a mark at the end of the axis. */
const RIGHT = 32;
/** Beside several traces, where their names are. */
const LEGEND = 140;
const MOST_NAMES = 16;
const NAME_CHARACTERS = 18;
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
  const right = WIDTH - (traces.length > 1 ? LEGEND : RIGHT);
  const slots = new Set(xs).size;
  const x = scale(xs, LEFT, right, bars && slots > 1 ? 0.5 / (slots - 1) : 0);
  const width = ((right - LEFT) / Math.max(1, slots) / Math.max(1, traces.length)) * 0.8;
  const y = scale(bars ? [0, ...ys] : ys, HEIGHT - BOTTOM, TOP, 0);
  const shapes = traces.map((trace, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const points = trace.x.map((value, row) => [place(value), trace.y[row] ?? Number.NaN] as const);
    return `<g fill="${colour}" stroke="${colour}"><title>${escapeXml(trace.name)}</title>${shape(chart.kind, points, x, y, width, i - (traces.length - 1) / 2)}</g>`;
  });
  const xText = (value: number) =>
    categories !== undefined
      ? (categories[Math.round(value)] ?? "")
      : chart.xIsTime
        ? clock(value, x.max - x.min)
        : short(value);
  const marks =
    slots === 0
      ? []
      : chart.xIsTime
        ? timeTicks(x.min, x.max, 6)
        : roundTicks(x.min, x.max, 6).filter((value) => categories === undefined || Number.isInteger(value));
  return frameOf(chart, title, `${axes(x, y, marks, xText, right)}${shapes.join("")}${legend(traces, right)}`);
}

type Points = readonly (readonly [number, number])[];

function shape(
  kind: ChartData["kind"],
  points: Points,
  x: Scale,
  y: Scale,
  /** Of a bar, px. */
  width: number,
  /** How many bars it is beside the middle of its place. */
  beside: number,
): string {
  const seen = points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b));
  if (kind === "scatter")
    return seen.map(([a, b]) => `<circle cx="${px(x(a))}" cy="${px(y(b))}" r="2" stroke="none"/>`).join("");
  if (kind === "bar") {
    return seen
      .map(([a, b]) => {
        const [top, bottom] = [Math.min(y(b), y(0)), Math.max(y(b), y(0))];
        return `<rect x="${px(x(a) + (beside - 0.5) * width)}" y="${px(top)}" width="${px(Math.max(0.5, width))}" height="${px(bottom - top)}" stroke="none"/>`;
      })
      .join("");
  }
  // a null interrupts the line
  let path = "";
  let pen = "M";
  let alone = "";
  const drawn = ([a, b]: Points[number]) => Number.isFinite(a) && Number.isFinite(b);
  for (const [i, point] of points.entries()) {
    if (drawn(point)) {
      const [left, top] = [px(x(point[0])), px(y(point[1]))];
      path += `${pen}${left} ${top}`;
      const next = points[i + 1];
      if (pen === "M" && (next === undefined || !drawn(next)))
        alone += `<circle cx="${left}" cy="${top}" r="2" stroke="none"/>`;
      pen = "L";
    } else pen = "M";
  }
  return `<path d="${path}" fill="none" stroke-width="1.5"/>${alone}`;
}

function axes(x: Scale, y: Scale, marks: readonly number[], xText: (value: number) => string, right: number): string {
  const lines = roundTicks(y.min, y.max, 5).map(
    (value) =>
      `<line x1="${LEFT}" x2="${right}" y1="${px(y(value))}" y2="${px(y(value))}" stroke="#dddddd"/>` +
      `<text x="${LEFT - 6}" y="${px(y(value) + 4)}" text-anchor="end" fill="#444444">${escapeXml(short(value))}</text>`,
  );
  const below = marks.map(
    (value) =>
      `<text x="${px(x(value))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle" fill="#444444">${escapeXml(xText(value))}</text>`,
  );
  return [...lines, ...below].join("");
}

function legend(traces: readonly Trace[], right: number): string {
  if (traces.length < 2) return "";
  const names = traces.slice(0, MOST_NAMES).map(({ name }, i) => {
    const y = TOP + 8 + i * 15;
    return `<rect x="${right + 12}" y="${y - 8}" width="9" height="9" fill="${COLOURS[i % COLOURS.length]}"/><text x="${right + 25}" y="${y}" fill="#222222">${escapeXml(cut(name, NAME_CHARACTERS))}</text>`;
  });
  const more = traces.length - MOST_NAMES;
  if (more > 0)
    names.push(`<text x="${right + 25}" y="${TOP + 8 + MOST_NAMES * 15}" fill="#222222">and ${more} more</text>`);
  return names.join("");
}

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** @param margin at either end, as a part of the span of values */
function scale(values: readonly number[], from: number, to: number, margin: number): Scale {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (values.length === 0) [min, max] = [0, 1];
  else if (min === max) [min, max] = [min - 0.5, max + 0.5];
  const extra = margin * (max - min);
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
  const text = (value: number | string | undefined, isTime: boolean, of: readonly (number | string)[]) =>
    typeof value !== "number" ? (value ?? "") : isTime ? clock(value, Number(of.at(-1)) - Number(of[0])) : short(value);
  const names = y.map((value) => cut(text(value, data.yIsTime === true, y), NAME_CHARACTERS));
  // room for the longest name and for the title of the axis beside it
  const left = Math.max(LEFT, names.reduce((most, name) => Math.max(most, name.length), 0) * 6.5 + 30);
  const [width, height] = [
    (WIDTH - left - RIGHT) / Math.max(1, x.length),
    (HEIGHT - TOP - BOTTOM) / Math.max(1, y.length),
  ];
  const cells = z.flatMap((line, i) =>
    line.map((value, j) =>
      value === null
        ? ""
        : `<rect x="${px(left + j * width)}" y="${px(HEIGHT - BOTTOM - (i + 1) * height)}" width="${px(width + 0.3)}" height="${px(height + 0.3)}" fill="${shade((value - min) / (max - min || 1))}"/>`,
    ),
  );
  const every = (count: number) => Math.max(1, Math.ceil(count / 8));
  const labels = [
    ...x.flatMap((value, j) =>
      j % every(x.length) !== 0
        ? []
        : [
            `<text x="${px(left + (j + 0.5) * width)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeXml(text(value, data.xIsTime, x))}</text>`,
          ],
    ),
    ...y.flatMap((_, i) =>
      i % every(y.length) !== 0
        ? []
        : [
            `<text x="${px(left - 6)}" y="${px(HEIGHT - BOTTOM - (i + 0.5) * height + 4)}" text-anchor="end">${escapeXml(names[i]!)}</text>`,
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
