import { type ChartData, MOST_TRACES, type Trace } from "./chart-data.ts";
import { axisValues, finite } from "./plotly-figure.ts";

/** What changes one trace into its next state: points dropped at either end, and points put there. */
export interface TraceChange {
  readonly front: number;
  readonly end: number;
  readonly head: Points;
  readonly tail: Points;
}

export interface Points {
  readonly x: readonly (number | string | null)[];
  readonly y: readonly (number | null)[];
}

/** One change per trace, in their order. */
export type ChartChange = readonly TraceChange[];

/** Points at the ends of a trace that may differ: of those that are thinned out, the first stretch and the last one are not full. */
const UNSETTLED = 16;

/**
 * What a front end that has drawn `before` needs to draw `after`; undefined where it had better draw it anew (other traces, other kinds of
 * charts, rows that came in between).
 */
export function chartChange(before: ChartData, after: ChartData): ChartChange | undefined {
  if (after.kind !== "line" && after.kind !== "scatter") return undefined;
  if (before.kind !== after.kind || before.xIsTime !== after.xIsTime) return undefined;
  const [old, now] = [before.traces.slice(0, MOST_TRACES), after.traces.slice(0, MOST_TRACES)];
  if (old.length !== now.length) return undefined;
  const changes: TraceChange[] = [];
  for (const [i, trace] of now.entries()) {
    const sameLook = old[i]!.name === trace.name && old[i]!.x.length < 2 === trace.x.length < 2;
    const change = sameLook ? traceChange(old[i]!, trace, after.xIsTime) : undefined;
    if (change === undefined) return undefined;
    changes.push(change);
  }
  return changes;
}

function traceChange(old: Trace, now: Trace, areTimes: boolean): TraceChange | undefined {
  const points = (from: number, to?: number): Points => ({
    x: axisValues(now.x.slice(from, to), areTimes),
    y: now.y.slice(from, to).map(finite),
  });
  const meeting = meet(old, now);
  if (meeting === undefined)
    return old.x.length === 0 || now.x.length === 0
      ? { front: old.x.length, end: 0, head: points(0, 0), tail: points(0) }
      : undefined;
  const [front, begin] = meeting;
  let same = 1;
  while (front + same < old.x.length && begin + same < now.x.length && isSame(old, front + same, now, begin + same))
    same++;
  const end = old.x.length - front - same;
  return end > UNSETTLED ? undefined : { front, end, head: points(0, begin), tail: points(begin + same) };
}

/** Where the traces begin to be the same: places in the old and in the new one. */
function meet(old: Trace, now: Trace): readonly [number, number] | undefined {
  for (let j = 0; j < Math.min(UNSETTLED, now.x.length); j++)
    for (let i = 0; i < old.x.length; i++) if (isSame(old, i, now, j)) return [i, j];
  return undefined;
}

const isSame = (a: Trace, i: number, b: Trace, j: number): boolean => a.x[i] === b.x[j] && sameNumber(a.y[i]!, b.y[j]!);

const sameNumber = (a: number | null, b: number | null): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b));
