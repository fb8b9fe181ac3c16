import type { Trace } from "./chart-data.ts";

/** Kept of each bin: its first, least, largest and last point. */
const KEPT = 4;

/**
 * A trace of at most about `most` points that looks the same: of each stretch of x its first, least, largest and last point, so that no peak is
 * lost. Stretches are a power of two wide and lie at multiples of that: as a chart slides on, what was drawn stays as it was.
 */
export function extremes(trace: Trace, most: number): Trace {
  const { name, x, y } = trace;
  if (x.length <= most) return trace;
  const bins = Math.max(1, Math.floor(most / KEPT));
  const numeric = rising(x);
  const at = numeric ? (i: number) => x[i] as number : (i: number) => i;
  const span = at(x.length - 1) - at(0);
  const width = 2 ** Math.ceil(Math.log2(Math.max(span, Number.MIN_VALUE) / bins));
  const kept: number[] = [];
  for (let from = 0; from < x.length; ) {
    const bin = Math.floor(at(from) / width);
    let [low, high, gap, to] = [-1, -1, -1, from];
    for (; to < x.length && Math.floor(at(to) / width) === bin; to++) {
      const value = y[to];
      if (value === null || value === undefined || Number.isNaN(value)) gap = to;
      else {
        if (low === -1 || value < y[low]!) low = to;
        if (high === -1 || value > y[high]!) high = to;
      }
    }
    const places = [from, low, high, gap, to - 1].filter((place) => place !== -1);
    kept.push(...new Set(places.sort((a, b) => a - b)));
    from = to;
  }
  return { name, x: kept.map((i) => x[i]!), y: kept.map((i) => y[i]!) };
}

function rising(x: Trace["x"]): boolean {
  for (let i = 0; i < x.length; i++)
    if (typeof x[i] !== "number" || (i > 0 && (x[i] as number) < (x[i - 1] as number))) return false;
  return x.at(-1) !== x[0];
}
