import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const i = pl.col("i");
const bounded = x.clip(-9, 9);
const some = (windowSize: number) => ({ windowSize, minPeriods: 1 }) as never;

/** Every expression that keeps state per key. */
const STATEFUL: Readonly<Record<string, polars.Expr>> = {
  shift: x.shift(2),
  shiftAndFill: i.shiftAndFill(1, 0),
  diff: x.diff(2, "ignore"),
  pctChange: pl.col("j").abs().plus(1).pctChange(2),
  cumSum: i.cumSum(),
  cumCount: x.cumCount(),
  cumMax: x.cumMax(),
  cumMin: x.cumMin(),
  cumProd: i.clip(-2, 2).cumProd(),
  forwardFill: pl.col("s").forwardFill(),
  first: x.first(),
  firstOfText: pl.col("s").first(),
  sinceFirst: x.minus(x.first()),
  sumSinceFirst: x.minus(x.first()).cumSum(),
  fillForward: x.fillNull("forward"),
  fillForwardLimited: x.fillNull("forward", 2 as never),
  rollingMax: x.rollingMax(some(3)),
  rollingMin: x.rollingMin(some(4)),
  rollingMean: bounded.fillNan(0).rollingMean(some(3)),
  rollingSum: i.rollingSum(some(2)),
  rollingStd: i.rollingStd(some(4)),
  rollingVar: i.rollingVar({ windowSize: 3, minPeriods: 2 } as never),
  rollingMedian: i.rollingMedian(some(3)),
  ewmMean: bounded.ewmMean(0.3),
  ewmMeanOfThree: i.ewmMean({ alpha: 0.5, adjust: true, minPeriods: 3, bias: false, ignoreNulls: true }),
  ewmMeanByPlace: i.ewmMean({ alpha: 0.2, adjust: true, minPeriods: 1, bias: false, ignoreNulls: false }),
  ewmMeanUnadjusted: i.ewmMean({ alpha: 0.4, adjust: false, minPeriods: 1, bias: false, ignoreNulls: true }),
  firstSoFar: pl.when(x.cumCount().eq(1)).then(x).otherwise(pl.lit(null)).forwardFill(),
  nested: x.minus(x.shift(1)).abs().cumMax().plus(i.cumSum()),
};

const KEYS: readonly (readonly [string, ...string[]])[] = [["device"], ["device", "b"], ["s", "device"]];

for (const keys of KEYS)
  test(`state over ${keys.join(", ")}: every stateful expression equals Polars', however the rows are split (seed ${seed})`, async () => {
    const columns = Object.entries(STATEFUL).map(([name, expr]) => expr.over(...keys).alias(name));
    const program = phones.withColumns(...columns);
    await fc.assert(
      fc.asyncProperty(rows(60), splits, fc.boolean(), async (list, sizes, reopen) => {
        const actual = await run(program, frameOf(list), { splits: sizes, reopen });
        assertFramesEqual(values(actual.rows), frameOf(list).withColumns(...columns), "over");
      }),
      { seed, numRuns: runs(4) },
    );
  });

test("weights that would have to be carried through nulls without adjustment are refused", () => {
  const expr = x.ewmMean({ alpha: 0.5, adjust: false, minPeriods: 1, bias: false, ignoreNulls: false });
  assert.throws(() => phones.withColumns(expr.over("device").alias("m")), /not carried from batch to batch/);
});
