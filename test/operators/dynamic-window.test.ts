import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const i = pl.col("i");
const s = pl.col("s");

/** Aggregates that windows must compute as Polars' own groupBy does over the rows of each window. */
const AGGREGATES: Readonly<Record<string, polars.Expr>> = {
  sum: x.sum(),
  sumOfInts: i.sum(),
  sumOfBooleans: pl.col("b").sum(),
  min: x.min(),
  max: x.max(),
  minOfText: s.min(),
  mean: x.mean(),
  meanOfInts: i.mean(),
  std: x.std(),
  var: i.var(),
  count: x.count(),
  len: pl.len(),
  nullCount: x.nullCount(),
  first: x.first(),
  last: s.last(),
  any: pl.col("b").any(),
  all: pl.col("b").all(),
  product: i.clip(-2, 2).product(),
  median: x.median(),
  quantile: i.quantile(0.9, "linear"),
  nUnique: s.nUnique(),
  nUniqueOfFloats: x.nUnique(),
  nUniqueNarrowed: s.filter(pl.col("b")).nUnique(),
  whereLargest: s.filter(x.eq(x.max())).first(),
  lastWhereLeast: x.filter(i.eq(i.min())).last(),
  byAnother: s.sortBy(i).last(),
  atLargest: x.gather(i.argMax()).first(),
  list: x,
  listOfSome: s.filter(pl.col("b")),
  imploded: i.implode(),
  sorted: x.sort().head(3),
  aboveMean: x.minus(x.mean()).abs().max(),
  steps: i.diff(1, "ignore").sum(),
  ranks: i.rank("min"),
  skew: i.skew(),
  kurtosis: i.kurtosis(),
  range: x.max().minus(x.min()),
  share: x.count().div(pl.len()),
  filtered: x.filter(x.gt(0)).sum(),
  filteredMean: x.filter(pl.col("b")).mean(),
  filteredLast: x.filter(x.gt(0)).last(),
  nonNull: x.dropNulls().first(),
  derived: x.plus(pl.col("y")).abs().max(),
  conditional: pl.when(pl.len().gt(2)).then(x.sum()).otherwise(pl.lit(0)),
};

interface Window {
  readonly every: number;
  readonly period: number;
  readonly offset: number;
  readonly grace: number;
}

/**
 * The oracle, record by record: each record in every window [start, end) that contains its time and had not closed when it came.
 * Gives the rows of every window with its start, in the order in which records came, and how many were late.
 */
function oracle(list: readonly Row[], { every, period, offset, grace }: Window) {
  const placed: { row: Row; start: number }[] = [];
  const missed: { row: Row; starts: number[] }[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  let late = 0;
  for (const row of list) {
    const newest = Math.floor((row.t - offset) / every) * every + offset;
    const closed: number[] = [];
    for (let start = newest; start + period > row.t; start -= every) {
      if (start + period + grace <= watermark) closed.unshift(start);
      else placed.push({ row, start });
    }
    late += closed.length;
    if (closed.length > 0) missed.push({ row, starts: closed });
    watermark = Math.max(watermark, row.t);
  }
  return { placed, late, missed, watermark };
}

const windows: fc.Arbitrary<Window> = fc.record({
  every: fc.constantFrom(500, 1000, 1700),
  period: fc.constantFrom(500, 1000, 2000, 5100),
  offset: fc.constantFrom(0, 0, 250, -100),
  grace: fc.constantFrom(0, 0, 300, 2500),
});

function expected(
  list: readonly Row[],
  window: Window,
  names: readonly string[],
  closedOnly: boolean,
): polars.DataFrame {
  const { placed, watermark } = oracle(list, window);
  const kept = placed.filter(({ start }) => !closedOnly || start + window.period + window.grace <= watermark);
  const datetime = (name: string, times: number[]) =>
    polars.Series(name, times, polars.Float64).cast(polars.Int64).cast(polars.Datetime("ms"));
  const frame = frameOf(kept.map(({ row }) => row)).hstack([
    datetime(
      "window_start",
      kept.map(({ start }) => start),
    ),
    datetime(
      "window_end",
      kept.map(({ start }) => start + window.period),
    ),
  ] as never) as unknown as polars.DataFrame;
  return frame
    .groupBy(["device", "window_start", "window_end"])
    .agg(...names.map((name) => AGGREGATES[name]!.alias(name)))
    .sort({ by: ["device", "window_start"] } as never);
}

function frameFor(
  { every, period, offset, grace }: Window,
  names: readonly string[],
  emit: "close" | "update" = "close",
) {
  return phones
    .groupByDynamic({
      indexColumn: "t",
      every: `${every}ms`,
      period: `${period}ms`,
      offset: `${offset}ms`,
      grace: `${grace}ms`,
      by: "device",
      emit,
    })
    .agg(...names.map((name) => AGGREGATES[name]!.alias(name)));
}

const byKey = (frame: polars.DataFrame): polars.DataFrame => frame.sort({ by: ["device", "window_start"] } as never);
const names = fc.uniqueArray(fc.constantFrom(...Object.keys(AGGREGATES)), { minLength: 1, maxLength: 8 });

test(`closed windows equal an oracle that places record by record (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(80), splits, windows, names, fc.boolean(), async (list, sizes, window, chosen, reopen) => {
      const actual = await run(frameFor(window, chosen), frameOf(list), { splits: sizes, reopen });
      assertFramesEqual(byKey(values(actual.rows)), expected(list, window, chosen, true), "closed");
      if (!reopen) assert.equal(actual.task.counts().late, oracle(list, window).late, "late rows");
    }),
    { seed, numRuns: runs(5) },
  );
});

test(`rows of records that hold many, aggregated by neighbours first, make the same windows (seed ${seed})`, async () => {
  // a record's rows are mostly of one device and time; some are of others in between
  const packed = rows(60).map((list) =>
    list.flatMap((row, at) =>
      Array.from({ length: 60 }, (_, n) => {
        const other = list[(at * 7 + n) % list.length]!;
        return n % 9 === 8 ? { ...other, t: row.t } : { ...row, x: n % 4 === 3 ? null : (row.x ?? 0) + n, i: n };
      }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(packed, names, fc.boolean(), async (list, chosen, closed) => {
      fc.pre(list.length > 1140);
      const window = { every: 1000, period: 1000, offset: 0, grace: 500 };
      const given = { splits: [1100, 40], packed: 60, final: !closed };
      const actual = await run(frameFor(window, chosen), frameOf(list), given);
      assertFramesEqual(byKey(values(actual.rows)), expected(list, window, chosen, closed), "packed");
    }),
    { seed, numRuns: runs(3) },
  );
});

test(`with the windows still open, every row that was not late is in a window (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, windows, async (list, sizes, window) => {
      const every = Object.keys(AGGREGATES);
      const actual = await run(frameFor(window, every), frameOf(list), { splits: sizes, final: true });
      assertFramesEqual(byKey(values(actual.rows)), expected(list, window, every, false), "open and closed");
    }),
    { seed, numRuns: runs(3) },
  );
});

test(`with emit "update" the last row per key and window is that of emit "close" (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, windows, names, async (list, sizes, window, chosen) => {
      const actual = await run(frameFor(window, chosen, "update"), frameOf(list), { splits: sizes });
      const last = values(actual.rows)
        .groupBy(["device", "window_start", "window_end"])
        .agg(...chosen.map((name) => polars.col(name).last()));
      assertFramesEqual(byKey(last), expected(list, window, chosen, false), "last update");
    }),
    { seed, numRuns: runs(6) },
  );
});

test(`late() gives each row that a window did not take, once, with what it missed (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, windows, fc.boolean(), async (list, sizes, window, reopen) => {
      const frame = phones.filter(pl.col("b").isNotNull());
      const options = { indexColumn: "t", every: `${window.every}ms`, period: `${window.period}ms`, by: "device" };
      const late = frame
        .groupByDynamic({ ...options, offset: `${window.offset}ms`, grace: `${window.grace}ms` })
        .agg(pl.len())
        .late();
      const actual = await run(late, frameOf(list), { splits: sizes, reopen });
      const expected = oracle(list, window).missed.filter(({ row }) => row.b !== null);
      assertFramesEqual(
        values(actual.rows).drop("missed_windows"),
        frameOf(expected.map(({ row }) => row)),
        "late rows",
      );
      assert.deepEqual(
        actual.rows
          .getColumn("missed_windows")
          .toArray()
          .map((starts: any) => [...starts].map(Number)),
        expected.map(({ starts }) => starts),
      );
    }),
    { seed, numRuns: runs(5) },
  );
});

const simple = (times: readonly [string | null, number, number][]): polars.DataFrame =>
  frameOf(
    times.map(([device, t, value]) => ({ device, t, x: value, y: null, i: null, j: null, s: null, b: null, d: null })),
  );

test("windows are given by start, then key, once the watermark has reached end and grace", async () => {
  const frame = phones
    .groupByDynamic({ indexColumn: "t", every: "1s", by: "device", grace: "500ms" })
    .agg(x.sum().alias("sum"));
  const input = simple([
    ["b", 100, 1],
    ["a", 200, 2],
    ["b", 1100, 4],
    ["a", 1400, 8],
    ["a", 1499, 16],
    ["a", 900, 32], // the watermark is 1499: window [0, 1000) is still open
    ["b", 1500, 64],
    ["b", 950, 128], // and now it is closed
    ["a", 2500, 256],
  ]);
  const { rows: given, task } = await run(frame, input, { splits: [5, 2] });
  assert.deepEqual(
    given
      .select("device", "window_start", "sum")
      .rows()
      .map(([device, start, sum]) => [device, Number(start), sum]),
    [
      ["a", 0, 34],
      ["b", 0, 1],
      ["a", 1000, 24],
      ["b", 1000, 68],
    ],
  );
  assert.deepEqual(task.counts(), { late: 1, withoutTime: 0 });
  assert.equal(task.watermark, 2500);
});

test("rows of windows carry the record key, the last millisecond and the partition", async () => {
  const frame = phones.groupByDynamic({ indexColumn: "t", every: "1s", by: "device" }).agg(pl.len().alias("n"));
  const { rows: given } = await run(
    frame,
    simple([
      ["a", 0, 1],
      ["a", 5000, 1],
    ]),
  );
  const [row] = given.select("_key", polars.col("_time").cast(polars.Int64), "_partition").rows();
  assert.deepEqual(
    row!.map((cell) => (typeof cell === "bigint" ? Number(cell) : cell)),
    ["a", 999, 0],
  );
});

test("a filter before a window does not hold the watermark back", async () => {
  const frame = phones
    .filter(x.gt(0))
    .groupByDynamic({ indexColumn: "t", every: "1s", by: "device" })
    .agg(pl.len().alias("n"));
  const { rows: given } = await run(
    frame,
    simple([
      ["a", 0, 1],
      ["a", 5000, -1],
    ]),
    { splits: [1] },
  );
  assert.equal(given.height, 1);
});

test("look-back over the rows of windows goes on from window to window", async () => {
  const frame = phones
    .groupByDynamic({ indexColumn: "t", every: "1s", by: "device" })
    .agg(x.sum().alias("sum"))
    .withColumns(pl.col("sum").diff(1, "ignore").over("device").alias("change"));
  const input = simple([
    ["a", 0, 1],
    ["a", 1000, 5],
    ["a", 2000, 7],
    ["a", 3000, 0],
  ]);
  const { rows: given } = await run(frame, input, { splits: [2, 1] });
  assert.deepEqual(given.getColumn("change").toArray(), [null, 4, 2]);
  const open = await run(frame, input, { splits: [2, 1], final: true });
  assert.deepEqual(open.rows.getColumn("change").toArray(), [null, 4, 2, -7]);
});
