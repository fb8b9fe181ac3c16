/** A Plotly figure, and what a live one says of itself. */
export interface Figure {
  readonly data: readonly Trace[];
  readonly layout?: Readonly<Record<string, unknown>> & {
    readonly meta?: { readonly millrace?: { readonly id?: string; readonly link?: string } };
  };
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly x?: readonly unknown[];
  readonly y?: readonly unknown[];
  readonly [name: string]: unknown;
}

interface Points {
  readonly x: readonly unknown[];
  readonly y: readonly unknown[];
}

/** What changes a trace into its next state: points dropped at either end, and points put there. */
export interface TraceChange {
  readonly front: number;
  readonly end: number;
  readonly head: Points;
  readonly tail: Points;
}

/** What the kernel sends of a live chart: all of it, or what has changed since. */
export interface ChartPicture {
  readonly figure?: Figure;
  readonly change?: readonly TraceChange[];
  readonly state: "reading" | "paused" | "waiting" | "stopped" | "failed";
  readonly line: string;
  readonly bad: string;
  readonly failed?: string;
}

/** The traces after the changes. */
export function changed(traces: readonly Trace[], changes: readonly TraceChange[]): Trace[] {
  const next = (
    old: readonly unknown[] = [],
    { front, end }: TraceChange,
    head: readonly unknown[],
    tail: readonly unknown[],
  ) => [...head, ...old.slice(front, old.length - end), ...tail];
  return traces.map((trace, i) => {
    const change = changes[i]!;
    return {
      ...trace,
      x: next(trace.x, change, change.head.x, change.tail.x),
      y: next(trace.y, change, change.head.y, change.tail.y),
    };
  });
}
