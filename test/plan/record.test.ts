import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { fingerprint } from "../../lib/plan/fingerprint.ts";
import { pl } from "../../lib/plan/pl.ts";
import { print } from "../../lib/plan/print.ts";
import { treeOf } from "../../lib/plan/record.ts";
import { replay } from "../../lib/plan/replay.ts";

const x = pl.col("x");
const programs: readonly [polars.Expr, string][] = [
  [x.abs().plus("y"), 'pl.col("x").abs().plus(pl.col("y"))'],
  [x.diff(1, "ignore").over("device").alias("d"), 'pl.col("x").diff(1, "ignore").over(pl.col("device")).alias("d")'],
  [
    pl
      .when(x.gt(1))
      .then(pl.lit("a"))
      .when(x.lt(0))
      .then(pl.lit("b"))
      .otherwise(pl.lit(null as never)),
    'pl.when(pl.col("x").gt(1)).then(pl.lit("a")).when(pl.col("x").lt(0)).then(pl.lit("b")).otherwise(pl.lit(null))',
  ],
  [pl.col("s").str.replace(/a+/i, "b"), 'pl.col("s").str.replace(/a+/i, "b")'],
  [pl.mean("x"), 'pl.col("x").mean()'],
  [pl.col("^g.*$").abs(), 'pl.col("^g.*$").abs()'],
  [x.cast(pl.Datetime("ms")), 'pl.col("x").cast(pl.Datetime("ms"))'],
  [pl.lit(new Date(0)), 'pl.lit(new Date("1970-01-01T00:00:00.000Z"))'],
  [x.eq(5n as never), 'pl.col("x").eq(5n)'],
  [x.fillNan(Number.NaN), 'pl.col("x").fillNan(NaN)'],
  [pl.concatList([x, pl.col("y")]).lst.max(), 'pl.concatList([pl.col("x"), pl.col("y")]).list.max()'],
];

for (const [expr, text] of programs)
  test(`recorded, printed and made again: ${text}`, () => {
    assert.equal(print(treeOf(expr)), text);
    const travelled = JSON.parse(JSON.stringify(treeOf(expr)));
    assert.deepEqual(travelled, treeOf(expr), "the tree is plain JSON");
    assert.equal(replay(travelled).toString(), expr.toString(), "Polars sees the same expression");
    let serialised: string | undefined;
    try {
      serialised = expr.serialize("json").toString();
    } catch {
      // some expressions cannot be serialised by Polars itself
    }
    if (serialised !== undefined) assert.equal(replay(travelled).serialize("json").toString(), serialised);
  });

test("recorded expressions are expressions to Polars", () => {
  assert.ok(polars.Expr.isExpr(x));
  assert.equal(inspect(x.abs()), inspect(polars.col("x").abs()));
  const frame = pl.DataFrame({ x: [-1, 2] }).withColumns(x.abs().alias("a"), polars.col("x").plus(x).alias("b"));
  assert.deepEqual(frame.rows(), [
    [-1, 1, -2],
    [2, 2, 4],
  ]);
});

const of = (threshold: number, n: number, schema = { device: "Utf8", x: "Float64" }) => {
  const frame = topic("f", { key: "device" }).filter(x.gt(threshold)).withColumns(x.shift(n).over("device").alias("p"));
  const source = (frame.node as any).input.input.id;
  return fingerprint([frame.node], new Map([[source, schema]]));
};

test("the fingerprint counts structure and schema, not the values of parameters", () => {
  assert.equal(of(1, 1), of(2.5, 1));
  assert.notEqual(of(1, 1), of(1, 2));
  assert.notEqual(of(1, 1), of(1, 1, { device: "Utf8", x: "Int64" }));
});
