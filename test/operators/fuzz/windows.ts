import polars from "nodejs-polars";
import type { StreamFrame } from "../../../lib/frame/stream-frame.ts";
import { aggregates } from "./aggregates.ts";
import type { Dice } from "./dice.ts";

/** A row that reached the windows: its place in the frame, event time, and the watermark just before it (of all rows, before filters). */
export interface Arrival {
  readonly place: number;
  readonly time: number;
  readonly watermark: number;
}

/** Where rows are placed: which rows a window has, in the order in which they came. */
interface Window {
  readonly start: number;
  readonly end: number;
  readonly places: readonly number[];
  /** Its number within its key, where windows are numbered. */
  readonly index?: number;
}

export interface WindowVerb {
  readonly text: string;
  apply(frame: StreamFrame): StreamFrame;
  /** The rows of every window that was given, by Polars over the rows of each. */
  expect(frame: polars.DataFrame, arrivals: readonly Arrival[], watermark: number): polars.DataFrame;
  /** The columns by which rows are told apart. */
  readonly keys: readonly string[];
}

const KEYS = [
  ["device"],
  ["device"],
  ["device", "s"],
  ["device", "b"],
  ["device", "x"],
  ["toString", "device"],
  ["device", "day"],
];

/** Windows of a random kind, with their oracle. */
export function windowVerb(dice: Dice): WindowVerb {
  const by = dice.pick(KEYS);
  const aggs = aggregates(dice);
  const kind = dice.pick(["dynamic", "dynamic", "session", "count", "running"] as const);
  const grace = dice.pick([0, 0, 300, 2500]);
  switch (kind) {
    case "dynamic": {
      const every = dice.pick([500, 1000, 1700]);
      const period = dice.pick([every, every, 500, 2000, 5100]);
      const offset = dice.pick([0, 250, -100]);
      const options = {
        indexColumn: "t",
        every: `${every}ms`,
        period: `${period}ms`,
        offset: `${offset}ms`,
        grace: `${grace}ms`,
        by,
      };
      return verb(
        `groupByDynamic(${JSON.stringify(options)})`,
        by,
        aggs,
        (frame) => frame.groupByDynamic(options),
        (rows, watermark) => tumbling(rows, { every, period, offset, grace }, watermark),
      );
    }
    case "session": {
      const gap = dice.pick([300, 1000, 3000]);
      const options = { indexColumn: "t", gap: `${gap}ms`, grace: `${grace}ms`, by };
      return verb(
        `groupBySession(${JSON.stringify(options)})`,
        by,
        aggs,
        (frame) => frame.groupBySession(options),
        (rows, watermark) => sessions(rows, gap, grace, watermark),
      );
    }
    case "count": {
      const every = dice.int(1, 4);
      const options = { every, period: dice.pick([every, every, every + 2, 1]), by };
      return verb(
        `groupByCount(${JSON.stringify(options)})`,
        by,
        aggs,
        (frame) => frame.groupByCount(options),
        (rows) => counted(rows, every, options.period),
      );
    }
    case "running":
      return {
        text: `groupBy(${by}).agg(${aggs.join(", ")})`,
        keys: by,
        apply: (frame) => frame.groupBy(by).agg(...aggs),
        expect: (frame) => frame.groupBy(by).agg(...aggs),
      };
  }
}

function verb(
  text: string,
  by: readonly string[],
  aggs: readonly polars.Expr[],
  open: (frame: StreamFrame) => { agg(...aggs: polars.Expr[]): StreamFrame },
  place: (rows: readonly Arrival[], watermark: number) => readonly Window[],
): WindowVerb {
  const numbered = text.startsWith("groupByCount");
  return {
    text: `${text}.agg(${aggs.join(", ")})`,
    keys: [...by, numbered ? "window_index" : "window_start"],
    apply: (frame) => open(frame).agg(...aggs),
    expect(frame, arrivals, watermark) {
      // rows of one combination of keys are placed by themselves; a null is a key like others, and NaN equals NaN
      const groups = new Map<string, Arrival[]>();
      const spelled = frame.select(...by.map((name) => polars.col(name).cast(polars.Utf8))).rows();
      for (const arrival of arrivals) {
        const key = JSON.stringify(spelled[arrival.place]!.map((cell: unknown) => (cell === "-0.0" ? "0.0" : cell)));
        groups.set(key, [...(groups.get(key) ?? []), arrival]);
      }
      const windows = [...groups.values()].flatMap((rows) => place(rows, watermark));
      const places = windows.flatMap(({ places }, i) => places.map((place) => [place, i] as const));
      const at = polars.DataFrame([
        polars.Series(
          "§place",
          places.map(([place]) => place),
          polars.Int32,
        ),
        polars.Series(
          "§window",
          places.map(([, window]) => window),
          polars.Int32,
        ),
        datetime(
          "window_start",
          places.map(([, window]) => windows[window]!.start),
        ),
        datetime(
          "window_end",
          places.map(([, window]) => windows[window]!.end),
        ),
        polars
          .Series(
            "window_index",
            places.map(([, window]) => windows[window]!.index ?? 0),
            polars.Float64,
          )
          .cast(polars.Int64),
      ]);
      const placed = at.join(
        frame.withColumns(polars.intRange(0, frame.height).cast(polars.Int32).alias("§place")) as never,
        {
          on: "§place",
          how: "left",
          maintainOrder: "left",
        } as never,
      ) as polars.DataFrame;
      return placed
        .groupBy([...by, ...(numbered ? ["window_index"] : []), "window_start", "window_end", "§window"])
        .agg(...aggs)
        .drop("§window");
    },
  };
}

const datetime = (name: string, times: readonly number[]): polars.Series =>
  polars
    .Series(name, times as number[], polars.Float64)
    .cast(polars.Int64)
    .cast(polars.Datetime("ms"));

interface Lengths {
  readonly every: number;
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
}

function tumbling(rows: readonly Arrival[], { every, period, offset, grace }: Lengths, watermark: number): Window[] {
  const windows = new Map<number, number[]>();
  for (const row of rows)
    for (
      let start = Math.floor((row.time - offset) / every) * every + offset;
      start + period > row.time;
      start -= every
    ) {
      if (start + period + grace <= row.watermark) continue;
      windows.set(start, [...(windows.get(start) ?? []), row.place]);
    }
  return [...windows]
    .map(([start, places]) => ({ start, end: start + period, places }))
    .filter(({ end }) => end + grace <= watermark);
}

/** Sessions, row by row: those that a row is near of become one with it. */
function sessions(rows: readonly Arrival[], gap: number, grace: number, watermark: number): Window[] {
  let open: Window[] = [];
  const closed: Window[] = [];
  const close = (until: number): void => {
    closed.push(...open.filter(({ end }) => end + grace <= until));
    open = open.filter(({ end }) => end + grace > until);
  };
  for (const { place, time, watermark } of rows) {
    close(watermark);
    const near = open.filter(({ start, end }) => time < end && start < time + gap);
    if (near.length === 0 && time + gap + grace <= watermark) continue;
    open = open.filter((one) => !near.includes(one));
    open.push({
      start: Math.min(time, ...near.map(({ start }) => start)),
      end: Math.max(time + gap, ...near.map(({ end }) => end)),
      places: [...near.flatMap(({ places }) => places), place].sort((a, b) => a - b),
    });
  }
  close(watermark);
  return closed;
}

function counted(rows: readonly Arrival[], every: number, period: number): Window[] {
  const windows: Window[] = [];
  for (let first = 0; first + period <= rows.length; first += every) {
    const own = rows.slice(first, first + period);
    const times = own.map(({ time }) => time);
    const [start, end] = [Math.min(...times), Math.max(...times) + 1];
    windows.push({ start, end, places: own.map(({ place }) => place), index: windows.length });
  }
  return windows;
}
