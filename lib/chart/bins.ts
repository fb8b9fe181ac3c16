import type pl from "nodejs-polars";
import type { HeatCells, Trace } from "./chart-data.ts";
import { columnCells } from "./column-cells.ts";

const BINS = 30;
const ACROSS = 60;
const UP = 30;
/** Rows of a heat map that are one value each: more are put into bins, or left out. */
const MOST_LABELS = 60;

/** Counts per bin of each trace's values, as bars; the same bins for all traces. */
export function histogram(traces: readonly Trace[]): Trace[] {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { y } of traces)
    for (const value of y)
      if (value !== null && Number.isFinite(value)) [min, max] = [Math.min(min, value), Math.max(max, value)];
  if (min > max) return traces.map(({ name }) => ({ name, x: [], y: [] }));
  if (min === max) [min, max] = [min - 0.5, max + 0.5];
  const width = (max - min) / BINS;
  const centres = Array.from({ length: BINS }, (_, bin) => min + (bin + 0.5) * width);
  return traces.map(({ name, y }) => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of y)
      if (value !== null && Number.isFinite(value)) counts[Math.min(BINS - 1, Math.floor((value - min) / width))]!++;
    return { name, x: centres, y: counts };
  });
}

/** How many rows, or the mean of `z`, for each stretch of x and each stretch, or value, of y. */
export function heatCells(x: pl.Series, y: pl.Series, z: pl.Series | undefined): HeatCells {
  const across = axis(columnCells(x), ACROSS);
  const up = axis(columnCells(y), UP);
  const values = z === undefined ? undefined : columnCells(z);
  const sums = up.labels.map(() => new Array<number>(across.labels.length).fill(0));
  const counts = up.labels.map(() => new Array<number>(across.labels.length).fill(0));
  for (let row = 0; row < x.length; row++) {
    const [column, line, value] = [across.place(row), up.place(row), values === undefined ? 1 : values[row]];
    if (column === -1 || line === -1 || typeof value !== "number" || !Number.isFinite(value)) continue;
    sums[line]![column]! += value;
    counts[line]![column]! += 1;
  }
  return {
    x: across.labels,
    y: up.labels,
    z: sums.map((line, i) =>
      line.map((sum, j) => {
        const count = counts[i]![j]!;
        return count === 0 ? null : values === undefined ? count : sum / count;
      }),
    ),
    left: up.left,
  };
}

interface Axis {
  readonly labels: readonly (number | string)[];
  /** Values without a place. */
  readonly left: number;
  place(row: number): number;
}

/** Texts one by one, the most frequent where there are too many; numbers and instants in stretches. */
function axis(cells: readonly (number | string | null)[], bins: number): Axis {
  const numbers = cells.filter((cell): cell is number => typeof cell === "number" && Number.isFinite(cell));
  if (numbers.length === 0) {
    const counts = new Map<string, number>();
    for (const cell of cells) if (typeof cell === "string") counts.set(cell, (counts.get(cell) ?? 0) + 1);
    const labels = [...counts]
      .sort((a, b) => b[1] - a[1])
      .slice(0, MOST_LABELS)
      .map(([label]) => label)
      .sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const places = new Map(labels.map((label, i) => [label, i]));
    return { labels, left: counts.size - labels.length, place: (row) => places.get(cells[row] as string) ?? -1 };
  }
  let [min, max] = [numbers[0]!, numbers[0]!];
  for (const value of numbers) [min, max] = [Math.min(min, value), Math.max(max, value)];
  if (min === max) [min, max] = [min - 0.5, max + 0.5];
  const width = (max - min) / bins;
  return {
    labels: Array.from({ length: bins }, (_, bin) => min + (bin + 0.5) * width),
    left: 0,
    place: (row) => {
      const value = cells[row];
      return typeof value === "number" && Number.isFinite(value)
        ? Math.min(bins - 1, Math.floor((value - min) / width))
        : -1;
    },
  };
}
