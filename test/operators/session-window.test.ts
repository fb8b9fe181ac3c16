import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";
import { aggregated, type OracleWindow, sorted } from "./window-oracle.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const AGGREGATES: Readonly<Record<string, polars.Expr>> = {
  n: pl.len(),
  sum: x.sum(),
  mean: pl.col("i").mean(),
  std: x.std(),
  first: pl.col("s").first(),
  last: x.last(),
  nUnique: pl.col("s").nUnique(),
  median: x.median(),
  list: pl.col("i"),
  whereLargest: pl.col("s").filter(x.eq(x.max())).first(),
  range: x.max().minus(x.min()),
};

interface Session {
  rows: Row[];
  start: number;
  end: number;
}

/** Record by record: each joins the open sessions of its key that it is less than the gap from, or begins one. */
function oracle(list: readonly Row[], { gap, grace }: { gap: number; grace: number }) {
  const open = new Map<string | null, Session[]>();
  const closed: OracleWindow[] = [];
  const late: Row[] = [];
  let watermark = Number.NEGATIVE_INFINITY;
  const close = (): void => {
    for (const [device, sessions] of open) {
      for (const session of sessions) if (session.end + grace <= watermark) closed.push({ device, ...session });
      open.set(
        device,
        sessions.filter(({ end }) => end + grace > watermark),
      );
    }
  };
  for (const row of list) {
    const sessions = open.get(row.device) ?? [];
    const met = sessions.filter(({ start, end }) => start < row.t + gap && end > row.t);
    if (met.length === 0 && row.t + gap + grace <= watermark) late.push(row);
    else {
      const all = [...met, { rows: [row], start: row.t, end: row.t + gap }];
      const session = {
        rows: all.flatMap((one) => one.rows).sort((a, b) => list.indexOf(a) - list.indexOf(b)),
        start: Math.min(...all.map(({ start }) => start)),
        end: Math.max(...all.map(({ end }) => end)),
      };
      open.set(row.device, [...sessions.filter((one) => !met.includes(one)), session]);
    }
    watermark = Math.max(watermark, row.t);
    close();
  }
  const still = [...open].flatMap(([device, sessions]) => sessions.map((session) => ({ device, ...session })));
  return { closed, open: still, late };
}

const options = fc.record({
  gap: fc.constantFrom(1, 400, 1500, 6000),
  grace: fc.constantFrom(0, 0, 700, 4000),
});
const names = fc.uniqueArray(fc.constantFrom(...Object.keys(AGGREGATES)), { minLength: 1, maxLength: 6 });
const aggs = (chosen: readonly string[]) => chosen.map((name) => AGGREGATES[name]!.alias(name));

const sessions = ({ gap, grace }: { gap: number; grace: number }, emit: "close" | "update" = "close") =>
  phones.groupBySession({ by: "device", indexColumn: "t", gap: `${gap}ms`, grace: `${grace}ms`, emit });

test(`closed sessions equal an oracle that goes record by record (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(70), splits, options, names, fc.boolean(), async (list, sizes, of, chosen, reopen) => {
      const actual = await run(sessions(of).agg(...aggs(chosen)), frameOf(list), { splits: sizes, reopen });
      const { closed, late } = oracle(list, of);
      assertFramesEqual(sorted(values(actual.rows)), aggregated(closed, aggs(chosen)), "closed");
      if (!reopen) assert.equal(actual.task.counts().late, late.length, "late rows");
    }),
    { seed, numRuns: runs(10) },
  );
});

test(`with the sessions still open, every row that was not late is in a session (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(50), splits, options, names, async (list, sizes, of, chosen) => {
      const actual = await run(sessions(of).agg(...aggs(chosen)), frameOf(list), { splits: sizes, final: true });
      const { closed, open } = oracle(list, of);
      assertFramesEqual(sorted(values(actual.rows)), aggregated([...closed, ...open], aggs(chosen)), "all");
    }),
    { seed, numRuns: runs(5) },
  );
});

test(`with emit "update" the last row per key and start, less those taken back, is exact (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(50), splits, options, names, async (list, sizes, of, chosen) => {
      const actual = await run(sessions(of, "update").agg(...aggs(chosen)), frameOf(list), { splits: sizes });
      const last = values(actual.rows)
        .groupBy(["device", "window_start"])
        .agg(...["window_end", ...chosen].map((name) => polars.col(name).last()))
        .filter(polars.col("window_end").isNotNull());
      const { closed, open } = oracle(list, of);
      assertFramesEqual(sorted(last), aggregated([...closed, ...open], aggs(chosen)), "last update");
    }),
    { seed, numRuns: runs(6) },
  );
});

test(`late() gives the rows that no session took (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, options, fc.boolean(), async (list, sizes, of, reopen) => {
      const actual = await run(sessions(of).agg(pl.len()).late(), frameOf(list), { splits: sizes, reopen });
      const { late } = oracle(list, of);
      assertFramesEqual(values(actual.rows).drop("missed_windows"), frameOf(late), "late");
      assert.deepEqual(
        actual.rows
          .getColumn("missed_windows")
          .toArray()
          .map((starts: any) => [...starts].map(Number)),
        late.map(({ t }) => [t]),
      );
    }),
    { seed, numRuns: runs(6) },
  );
});

const visits = (list: readonly [string, number][]): polars.DataFrame =>
  frameOf(list.map(([device, t], i) => ({ device, t, x: i, y: null, i, j: null, s: null, b: null, d: null })));

test("a late row brings two sessions together; a row a gap after the last one begins another", async () => {
  const program = sessions({ gap: 100, grace: 100 }).agg(pl.col("i").implode().alias("list"));
  const { rows: given } = await run(
    program,
    visits([
      ["a", 0],
      ["b", 10],
      ["a", 150],
      ["a", 75],
      ["a", 250],
      ["b", 900],
    ]),
    { splits: [1, 1, 1, 1] },
  );
  assert.deepEqual(
    given
      .select("device", "window_start", "window_end", "list")
      .rows()
      .map(([device, start, end, list]) => [device, Number(start), Number(end), [...(list as Iterable<number>)]]),
    [
      ["b", 10, 110, [1]],
      ["a", 0, 250, [0, 2, 3]],
      ["a", 250, 350, [4]],
    ],
  );
  assert.deepEqual(
    given.select(polars.col("_time").cast(polars.Float64)).getColumn("_time").toArray(),
    [109, 249, 349],
  );
});

test("explain says what sessions keep, and when they close and are taken back", () => {
  const text = sessions({ gap: 1000, grace: 500 }, "update").agg(pl.len(), x.median()).explain();
  for (const line of [
    /groupBySession with a gap of 1s of "t" by pl\.col\("device"\)/,
    /one row per key and open session .*; grows with the keys seen in the last 1500ms/,
    /every row of open sessions, for pl\.col\("x"\)\.median\(\)/,
    /reaches the end of a session and 500ms of grace/,
    /takes back: .* window_end null/,
  ])
    assert.match(text, line);
});
