import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { FUNCTION_MEANINGS } from "../../lib/plan/analysis/function-meanings.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, rows, runs, seed, splits } from "../operators/random-rows.ts";
import { assertFramesEqual, run, values } from "../operators/run-program.ts";

const [x, y, i, s, b] = ["x", "y", "i", "s", "b"].map((name) => pl.col(name)) as [
  polars.Expr,
  polars.Expr,
  polars.Expr,
  polars.Expr,
  polars.Expr,
];

/** A program or more for every function of `pl` that is exact row by row. */
const PROGRAMS: Readonly<Record<string, readonly polars.Expr[]>> = {
  struct: [pl.struct([x, s]).struct.field("s"), pl.struct([x, i])],
  concatList: [pl.concatList([x, y]), pl.concatList(["x", "y"])],
  concatString: [pl.concatString([s, i.cast(pl.Utf8)], "-")],
  format: [pl.format("{}: {}", s, i)],
  allHorizontal: [pl.allHorizontal([b, x.gt(0)])],
  anyHorizontal: [pl.anyHorizontal([b, x.gt(0)])],
  // Polars' own answer for NaN depends on other rows: see below
  minHorizontal: [pl.minHorizontal([x.fillNan(7), y.fillNan(-7), i]), pl.minHorizontal([i, pl.col("j")])],
  maxHorizontal: [pl.maxHorizontal([x.fillNan(7), y.fillNan(-7), i]), pl.maxHorizontal([s, s.str.toLowerCase()])],
  sumHorizontal: [pl.sumHorizontal([x, y])],
  intRanges: [pl.intRanges(pl.lit(0).cast(pl.Int64), i.abs().fillNull(pl.lit(0)).modulo(pl.lit(5)).cast(pl.Int64))],
  lit: [pl.lit(1), pl.lit("a"), pl.lit(true)],
  when: [pl.when(x.gt(y)).then(pl.lit("more")).when(x.isNull()).then(pl.lit("none")).otherwise(s)],
};

test("every function of pl that is exact row by row has a program here", () => {
  const exact = Object.entries(FUNCTION_MEANINGS).flatMap(([name, meaning]) =>
    meaning.is === "row-wise" ? [name] : [],
  );
  assert.deepEqual(Object.keys(PROGRAMS).sort(), exact.sort());
});

test(`functions of pl equal static Polars, however the rows are split (seed ${seed})`, async () => {
  const programs = Object.entries(PROGRAMS).flatMap(([name, own]) => own.map((expr, n) => expr.alias(`${name} ${n}`)));
  const program = topic("phones", { key: "device", time: "t" }).withColumns(...programs);
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const frame = frameOf(list);
      const actual = await run(program, frame, { splits: sizes });
      assertFramesEqual(values(actual.rows), frame.withColumns(...programs));
    }),
    { seed, numRuns: runs(6) },
  );
});

test(`minHorizontal and maxHorizontal put NaN above every number, whatever else is in the batch (seed ${seed})`, async () => {
  const program = topic("phones", { key: "device", time: "t" }).withColumns(
    pl.minHorizontal([x, y, pl.lit(2)]).alias("least"),
    pl.maxHorizontal([y, x]).alias("greatest"),
  );
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const made = values((await run(program, frameOf(list), { splits: sizes })).rows);
      const cells = (name: string) => made.getColumn(name).toArray() as (number | null)[];
      const order = (a: number, b: number) => (Number.isNaN(a) ? 1 : Number.isNaN(b) ? -1 : a - b);
      const [least, greatest] = [cells("least"), cells("greatest")];
      for (const [row, one] of list.entries()) {
        // of 0 and -0, which are equal, the one that is named last, as with Polars
        const most = [one.y, one.x].filter((value) => value !== null);
        assert.equal(greatest[row], most.length === 0 ? null : most.reduce((a, b) => (order(a, b) > 0 ? a : b)));
        const fewest = [one.x, one.y, 2].filter((value) => value !== null);
        assert.equal(
          least[row],
          fewest.reduce((a, b) => (order(a, b) < 0 ? a : b)),
        );
      }
    }),
    { seed, numRuns: runs(10) },
  );
});
