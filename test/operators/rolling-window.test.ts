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
const AGGREGATES: Readonly<Record<string, polars.Expr>> = {
  sum: pl.col("i").sum(),
  max: x.max(),
  n: pl.len(),
  first: pl.col("s").first(),
  median: x.median(),
  list: pl.col("i"),
  different: pl.col("s").nUnique(),
  whereLargest: pl.col("s").filter(x.eq(x.max())).first(),
};

interface Options {
  readonly period: number;
  readonly offset: number | undefined;
  readonly grace: number;
  readonly closed: "left" | "right" | "both" | "none";
}

const options: fc.Arbitrary<Options> = fc.record({
  period: fc.constantFrom(1, 800, 3000),
  offset: fc.constantFrom(undefined, undefined, -500, 0, 700, -9000),
  grace: fc.constantFrom(0, 0, 600, 3000),
  closed: fc.constantFrom("left", "right", "both", "none"),
});
const names = fc.uniqueArray(fc.constantFrom(...Object.keys(AGGREGATES)), { minLength: 1, maxLength: 5 });
const aggs = (chosen: readonly string[]) => chosen.map((name) => AGGREGATES[name]!.alias(name));

const rolling = ({ period, offset, grace, closed }: Options) =>
  phones.groupByRolling({
    indexColumn: "t",
    by: "device",
    period: `${period}ms`,
    ...(offset !== undefined && { offset: `${offset}ms` }),
    grace: `${grace}ms`,
    closed,
  });

/** Which rows are late, which are given, and Polars' own rolling groups over those that are not late, in the order of event time. */
function oracle(
  list: readonly Row[],
  { period, offset = -period, grace, closed }: Options,
  chosen: readonly string[],
  all: boolean,
) {
  let watermark = Number.NEGATIVE_INFINITY;
  const taken: Row[] = [];
  const late: Row[] = [];
  for (const row of list) {
    (row.t < watermark - grace ? late : taken).push(row);
    watermark = Math.max(watermark, row.t);
  }
  const devices = [...new Set(taken.map(({ device }) => device))];
  const coded = frameOf(taken.toSorted((a, b) => a.t - b.t));
  const code = polars.Series(
    "code",
    coded
      .getColumn("device")
      .toArray()
      .map((device) => devices.indexOf(device as string | null)),
    polars.Float64,
  );
  const frame = (coded.hstack([code] as never) as unknown as polars.DataFrame).sort({
    by: ["code", "t"],
    maintainOrder: true, // of rows of one time, lists and first() tell the order of reading
  } as never);
  const results = frame
    .lazy()
    .groupByRolling({ indexColumn: "t", by: ["code"], period: `${period}ms`, offset: `${offset}ms`, closed } as never)
    .agg(...aggs(chosen))
    .collectSync()
    .sort({ by: ["code", "t"] } as never);
  const given = (results.withColumns(frame.getColumn("device") as never) as polars.DataFrame)
    .filter(
      all
        ? polars.lit(true)
        : polars
            .col("t")
            .cast(polars.Int64)
            .lt(polars.lit(watermark - grace - Math.max(0, offset + period))),
    )
    .select("device", "t", ...chosen);
  return { given, late };
}

const sorted = (frame: polars.DataFrame) => frame.sort({ by: ["device", "t"] } as never);

test(`rows equal Polars' groupByRolling over the rows in the order of event time (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, options, names, fc.boolean(), async (list, sizes, of, chosen, reopen) => {
      const actual = await run(rolling(of).agg(...aggs(chosen)), frameOf(list), { splits: sizes, reopen });
      const { given, late } = oracle(list, of, chosen, false);
      assertFramesEqual(sorted(values(actual.rows)), sorted(given), "given");
      if (!reopen) assert.equal(actual.task.counts().late, late.length);
    }),
    { seed, numRuns: runs(10) },
  );
});

test(`rows come in the order of event time, and those that wait are there in the end (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(40), splits, options, names, async (list, sizes, of, chosen) => {
      const actual = await run(rolling(of).agg(...aggs(chosen)), frameOf(list), { splits: sizes, final: true });
      assertFramesEqual(sorted(values(actual.rows)), sorted(oracle(list, of, chosen, true).given), "all");
      const times = actual.rows.getColumn("t").cast(polars.Float64).toArray();
      assert.deepEqual(
        times,
        times.toSorted((a: number, b: number) => a - b),
      );
    }),
    { seed, numRuns: runs(6) },
  );
});

test(`late() gives the rows that were left out (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(40), splits, options, async (list, sizes, of) => {
      const actual = await run(rolling(of).agg(pl.len()).late(), frameOf(list), { splits: sizes });
      assertFramesEqual(values(actual.rows), frameOf(oracle(list, of, ["n"], true).late), "late");
    }),
    { seed, numRuns: runs(4) },
  );
});

test("what no window needs any more is forgotten", async () => {
  const at = (t: number): Row => ({ device: "a", t, x: 1, y: null, i: 1, j: null, s: null, b: null, d: null });
  const program = phones.groupByRolling({ indexColumn: "t", by: "device", period: "1s" }).agg(x.sum().alias("sum"));
  const { rows: given, stores } = await run(program, frameOf([0, 400, 800, 1600, 9000].map(at)), { splits: [2, 1, 1] });
  assert.deepEqual(given.getColumn("sum").toArray(), [1, 2, 3, 2]);
  const [store] = [...stores.values()].filter(({ spec }) => spec.name.startsWith("rolling"));
  assert.equal(store!.size, 1);
});
