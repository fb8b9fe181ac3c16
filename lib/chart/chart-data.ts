import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { dtypeName } from "../schema.ts";
import { heatCells, histogram } from "./bins.ts";
import { columnCells, NUMBER } from "./column-cells.ts";
import { extremes } from "./extremes.ts";

export type ChartKind = "line" | "scatter" | "bar" | "histogram" | "heatmap";

export interface ChartOptions {
  /** By default the first datetime column, else the row number. */
  readonly x?: string;
  /** By default the first number column that is neither `x` nor `by`; of a heat map any column. */
  readonly y?: string | readonly string[];
  /** One trace per value of this column. */
  readonly by?: string;
  readonly kind?: ChartKind;
  /** What a heat map shows the mean of; without it, the number of rows. */
  readonly z?: string;
  /** Charts of one name are zoomed together. */
  readonly link?: string;
}

/** One line, row of bars or cloud of points. Instants are milliseconds since the epoch. */
export interface Trace {
  readonly name: string;
  readonly x: readonly (number | string | null)[];
  readonly y: readonly (number | null)[];
}

/** The cells of a heat map: `z[line][column]`, null where there are no rows. */
export interface HeatCells {
  readonly x: readonly (number | string)[];
  readonly y: readonly (number | string)[];
  readonly z: readonly (readonly (number | null)[])[];
  /** Values of y that have no line of their own. */
  readonly left: number;
}

export interface ChartData {
  readonly kind: ChartKind;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xIsTime: boolean;
  readonly yIsTime?: boolean;
  readonly traces: readonly Trace[];
  readonly cells?: HeatCells;
  readonly zTitle?: string;
}

/** More traces than these hide each other; the rest is left out and said to be. */
export const MOST_TRACES = 30;
/** A chart carries no more points than these; of longer traces the extremes are kept. */
const MOST_POINTS = 6000;
const LEAST_POINTS = 300;

/**
 * The traces of a chart of this frame.
 * @throws Refusal `UNKNOWN_COLUMN`, `NOTHING_TO_PLOT`, `BAD_OPTION`
 */
export function chartData(frame: pl.DataFrame, options: ChartOptions): ChartData {
  const { x, y, by, z, kind } = resolve(frame, options);
  const isTime = (name: string | undefined) =>
    name !== undefined && /^(Datetime|Date)$/.test(frame.getColumn(name).dtype.variant);
  const titles = { kind, xTitle: x ?? "row", yTitle: y.join(", "), xIsTime: isTime(x) };
  if (kind === "heatmap") {
    const cells = heatCells(frame.getColumn(x!), frame.getColumn(y[0]!), z === undefined ? z : frame.getColumn(z));
    return { ...titles, yIsTime: isTime(y[0]), zTitle: z === undefined ? "rows" : `mean of ${z}`, traces: [], cells };
  }
  const traces = tracesOf(frame, x, y, by);
  if (kind === "histogram")
    return { kind, xTitle: titles.yTitle, yTitle: "rows", xIsTime: false, traces: histogram(traces) };
  if (kind === "bar") return { ...titles, traces };
  const most = Math.max(LEAST_POINTS, Math.floor(MOST_POINTS / Math.max(1, Math.min(traces.length, MOST_TRACES))));
  return { ...titles, traces: traces.map((trace) => extremes(trace, most)) };
}

function tracesOf(frame: pl.DataFrame, x: string | undefined, y: readonly string[], by: string | undefined): Trace[] {
  const names = by === undefined ? undefined : (frame.getColumn(by).cast(pl.Utf8).toArray() as (string | null)[]);
  const xs = x === undefined ? Array.from({ length: frame.height }, (_, i) => i) : columnCells(frame.getColumn(x));
  const traces: Trace[] = [];
  for (const column of y) {
    const ys = frame.getColumn(column).cast(pl.Float64).toArray() as (number | null)[];
    if (names === undefined) {
      traces.push({ name: column, x: xs, y: ys });
      continue;
    }
    const groups = new Map<string, { x: (number | string | null)[]; y: (number | null)[] }>();
    for (const [row, key] of names.entries()) {
      const name = key ?? "null";
      let group = groups.get(name);
      if (group === undefined) {
        group = { x: [], y: [] };
        groups.set(name, group);
      }
      group.x.push(xs[row]!);
      group.y.push(ys[row]!);
    }
    // in a fixed order, so that colours stay with their traces from one drawing to the next
    for (const [name, group] of [...groups].sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true })))
      traces.push({ name: y.length === 1 ? name : `${name} ${column}`, ...group });
  }
  return traces;
}

const KINDS: readonly ChartKind[] = ["line", "scatter", "bar", "histogram", "heatmap"];

function resolve(frame: pl.DataFrame, { x, y, by, z, kind = "line" }: ChartOptions) {
  const { columns, dtypes } = frame;
  if (!KINDS.includes(kind))
    throw new Refusal({
      code: "BAD_OPTION",
      what: `there is no chart of kind ${JSON.stringify(kind)}`,
      where: "plot",
      remedies: [`kind: ${KINDS.map((each) => `"${each}"`).join(", ")}`],
    });
  for (const name of [x, by, z, ...[y ?? []].flat()]) {
    if (name === undefined || columns.includes(name)) continue;
    throw new Refusal({
      code: "UNKNOWN_COLUMN",
      what: `there is no column "${name}" to plot`,
      remedies: [`use one of: ${columns.join(", ")}`],
    });
  }
  const named = (test: RegExp) => columns.filter((_, i) => test.test(dtypeName(dtypes[i]!)));
  const numbers = named(NUMBER);
  const acrossX = x ?? named(/^Datetime/)[0];
  const upY = y === undefined ? numbers.filter((name) => name !== acrossX && name !== by).slice(0, 1) : [y].flat();
  if (kind === "heatmap") {
    const missing = acrossX === undefined ? "x" : upY.length === 0 ? "y" : undefined;
    const wrong = z !== undefined && !numbers.includes(z);
    if (missing === undefined && !wrong && upY.length === 1)
      return { x: acrossX, y: upY as readonly string[], by, z, kind };
    throw new Refusal({
      code: "NOTHING_TO_PLOT",
      what: wrong
        ? `"${z}" is no number column`
        : upY.length > 1
          ? "a heat map has one column for y"
          : `a heat map needs a column for ${missing}`,
      remedies: [
        'plot({ kind: "heatmap", x: "time", y: "device", z: "temperature" })',
        `number columns are: ${numbers.join(", ") || "none"}`,
      ],
    });
  }
  const wrong = upY.find((name) => !numbers.includes(name));
  if (upY.length === 0 || wrong !== undefined) {
    throw new Refusal({
      code: "NOTHING_TO_PLOT",
      what: wrong === undefined ? "there is no number column to plot" : `"${wrong}" is no number column`,
      remedies: [`number columns are: ${numbers.join(", ") || "none"}`, "name one: plot({ y: … })"],
    });
  }
  return { x: acrossX, y: upY as readonly string[], by, z, kind };
}
