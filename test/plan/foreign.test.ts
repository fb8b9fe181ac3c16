import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { print } from "../../lib/plan/print.ts";
import { treeOf } from "../../lib/plan/record.ts";
import { replay } from "../../lib/plan/replay.ts";

const x = polars.col("x");
const s = polars.col("s");
const accepted: readonly [polars.Expr, string][] = [
  [x, 'pl.col("x")'],
  [x.plus(1).mul("y"), 'pl.col("x").plus(pl.lit(1)).multiplyBy(pl.col("y"))'],
  [x.gt(2.5).and(x.neq(3)).alias("b"), 'pl.col("x").gt(pl.lit(2.5)).and(pl.col("x").neq(pl.lit(3))).alias("b")'],
  [x.cast(polars.Int64), 'pl.col("x").cast(pl.Int64)'],
  [x.cast(polars.Datetime("ms"), true), 'pl.col("x").cast(pl.Datetime("ms"), true)'],
  [
    polars.when(x.isNull()).then(polars.lit("none")).otherwise(s),
    'pl.when(pl.col("x").isNull()).then(pl.lit("none")).otherwise(pl.col("s"))',
  ],
  [x.diff(1, "ignore").over("device"), 'pl.col("x").diff(1, "ignore").over(pl.col("device"))'],
  [x.shift(2).over("device", "b"), 'pl.col("x").shift(2).over(pl.col("device"), pl.col("b"))'],
  [x.cumSum().over("device"), 'pl.col("x").cumSum().over(pl.col("device"))'],
  [x.rollingMean(3).over("device"), 'pl.col("x").rollingMean({ windowSize: 3, minPeriods: 3 }).over(pl.col("device"))'],
  [x.filter(x.gt(1)).mean(), 'pl.col("x").filter(pl.col("x").gt(pl.lit(1))).mean()'],
  [x.std(), 'pl.col("x").std()'],
  [x.max(), 'pl.col("x").max()'],
  [polars.len(), "pl.len()"],
  [polars.col("t").dt.hour(), 'pl.col("t").dt.hour()'],
  [s.str.contains("a"), 'pl.col("s").str.contains("a")'],
  [x.round(2).abs(), 'pl.col("x").round(2).abs()'],
  [x.prefix("p_"), 'pl.col("x").prefix("p_")'],
  // around a recorded one, and inside one
  [
    polars.when(pl.col("x").gt(1)).then(x).otherwise(polars.lit(0)),
    'pl.when(pl.col("x").gt(pl.lit(1))).then(pl.col("x")).otherwise(pl.lit(0))',
  ],
  [pl.col("x").plus(x.abs()), 'pl.col("x").plus(pl.col("x").abs())'],
];

for (const [expr, text] of accepted)
  test(`an expression of nodejs-polars itself is taken: ${text}`, () => {
    const tree = treeOf(expr);
    assert.equal(print(tree), text);
    assert.equal(replay(tree).serialize("json").toString(), expr.serialize("json").toString());
  });

const refused: readonly polars.Expr[] = [
  s.str.toUpperCase(),
  x.quantile(0.5),
  s.str.replace("a", "b"),
  polars.lit(5n as never),
  (x as any).std(0),
  (x as any).cumSum(true),
  polars.col("t").cast(polars.Datetime("ms", "Europe/Berlin")),
];

test("what its serialisation does not say exactly is refused, with what to do", () => {
  for (const expr of refused) {
    if (treeOf(expr).kind !== "foreign") assert.equal(String(replay(treeOf(expr))), String(expr));
    else
      assert.throws(
        () => topic("f", { key: "device" }).withColumns(expr.alias("z")),
        (error: any) => error.code === "FOREIGN_EXPRESSION" && /import \{ pl \} from "millrace"/.test(error.message),
      );
  }
  assert.equal(treeOf(s.str.toUpperCase()).kind, "foreign");
});

test("a refusal names the call inside, as for the recorded pl", () => {
  assert.throws(
    () => topic("f", { key: "device" }).withColumns(x.mean().alias("m")),
    (error: any) => error.code === "NO_EXACT_STREAMING_MEANING" && error.message.includes('pl.col("x").mean()'),
  );
});
