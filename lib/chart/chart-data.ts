import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import { dtypeName } from "../schema.ts";

export type ChartKind = "line" | "scatter" | "bar" | "histogram";

export interface ChartOptions {
  /** By default the first datetime column, else the row number. */
  readonly x?: string;
  /** By default the first number column that is neither `x` nor `by`. */
  readonly y?: string | readonly string[];
  /** One trace per value of this column. */
  readonly by?: string;
  readonly kind?: ChartKind;
}

/** One line, row of bars or cloud of points. Instants are milliseconds since the epoch. */
export interface Trace {
  readonly name: string;
  readonly x: readonly (number | string | null)[];
  readonly y: readonly (number | null)[];
}

export interface ChartData {
  readonly kind: ChartKind;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xIsTime: boolean;
  readonly traces: readonly Trace[];
}

/** More traces than these hide each other; the rest is left out and said to be. */
export const MOST_TRACES = 30;

const NUMBER = /^(U?Int\d+|Float\d+)$/;

/**
 * The traces of a chart of this frame.
 * @throws Refusal `UNKNOWN_COLUMN`, `NOTHING_TO_PLOT`
 */
export function chartData(frame: pl.DataFrame, options: ChartOptions): ChartData {
  const { x, y, by, kind } = resolve(frame, options);
  const xIsTime = x !== undefined && frame.getColumn(x).dtype.variant === "Datetime";
  const names = by === undefined ? undefined : (frame.getColumn(by).cast(pl.Utf8).toArray() as (string | null)[]);
  const xs = x === undefined ? Array.from({ length: frame.height }, (_, i) => i) : cells(frame.getColumn(x));
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
  return { kind, xTitle: x ?? "row", yTitle: y.join(", "), xIsTime, traces };
}

function resolve(frame: pl.DataFrame, { x, y, by, kind = "line" }: ChartOptions) {
  const { columns, dtypes } = frame;
  for (const name of [x, by, ...[y ?? []].flat()]) {
    if (name === undefined || columns.includes(name)) continue;
    throw new Refusal({
      code: "UNKNOWN_COLUMN",
      what: `there is no column "${name}" to plot`,
      remedies: [`use one of: ${columns.join(", ")}`],
    });
  }
  const named = (test: RegExp) => columns.filter((_, i) => test.test(dtypeName(dtypes[i]!)));
  const acrossX = x ?? named(/^Datetime/)[0];
  const upY =
    y === undefined
      ? named(NUMBER)
          .filter((name) => name !== acrossX && name !== by)
          .slice(0, 1)
      : [y].flat();
  const numbers = named(NUMBER);
  const wrong = upY.find((name) => !numbers.includes(name));
  if (upY.length === 0 || wrong !== undefined) {
    throw new Refusal({
      code: "NOTHING_TO_PLOT",
      what: wrong === undefined ? "there is no number column to plot" : `"${wrong}" is no number column`,
      remedies: [`number columns are: ${numbers.join(", ") || "none"}`, "name one: plot({ y: … })"],
    });
  }
  return { x: acrossX, y: upY as readonly string[], by, kind };
}

function cells(series: pl.Series): (number | string | null)[] {
  const variant = series.dtype.variant;
  const plain =
    variant === "Datetime"
      ? series.cast(pl.Datetime("ms")).cast(pl.Int64)
      : NUMBER.test(variant)
        ? series
        : series.cast(pl.Utf8);
  return (plain.toArray() as (number | bigint | string | null)[]).map((cell) =>
    typeof cell === "bigint" ? Number(cell) : cell,
  );
}
