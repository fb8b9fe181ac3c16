import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { inlined } from "../../lib/operators/inline-exprs.ts";
import { replay } from "../../lib/plan/replay.ts";
import { callTree, colTree, type ExprTree } from "../../lib/plan/tree.ts";
import { type Schema, schemaOf } from "../../lib/schema.ts";
import { runs, seed } from "./random-rows.ts";

const ODD = [0, -0, 1, -1, 2.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, 1e308];
const double = fc.option(fc.oneof(fc.constantFrom(...ODD), fc.double()));
const integer = fc.option(
  fc.oneof(fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n)), fc.bigInt({ min: -5n, max: 5n })),
);
const text = fc.option(fc.constantFrom("", "a", "b", "longer than twelve bytes", "ключ"));
const row = fc.record({ x: double, y: double, i: integer, j: integer, s: text, t: text, b: fc.option(fc.boolean()) });
const frames = fc.array(row, { minLength: 1, maxLength: 12 }).map((list) => {
  const of = <K extends keyof (typeof list)[number]>(name: K) => list.map((one) => one[name]) as never[];
  const { Float64, Int64, Utf8, Bool } = pl;
  const dtypes = { x: Float64, y: Float64, i: Int64, j: Int64, s: Utf8, t: Utf8, b: Bool };
  return pl.DataFrame(Object.entries(dtypes).map(([name, dtype]) => pl.Series(name, of(name as "x"), dtype)));
});

const cols = (...names: string[]) => fc.constantFrom(...names.map((name): ExprTree => colTree(name)));
const number = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constantFrom(0.5, -1e300, 1e-300));
const lit = <A extends number | string>(value: fc.Arbitrary<A>) =>
  value.map((of): ExprTree => ({ kind: "lit", value: of }));
const call = (fns: string, self: fc.Arbitrary<ExprTree>, other?: fc.Arbitrary<ExprTree>) =>
  fc
    .tuple(fc.constantFrom(...fns.split(" ")), self, other ?? fc.constant(undefined))
    .map(([fn, of, by]) => (by === undefined ? callTree(fn, of) : callTree(fn, of, { $expr: by })));

const COMPARED = "eq neq gt gtEq lt ltEq greaterThan lessThan equals notEquals";
const { truth, value } = fc.letrec<{ truth: ExprTree; value: ExprTree }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    cols("x", "y"),
    call("abs", tie("value")),
    call("plus add minus sub multiplyBy mul divideBy div", tie("value"), fc.oneof(tie("value"), lit(number))),
    call("plus minus divideBy", lit(number), tie("value")),
  ),
  truth: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    cols("b"),
    call(COMPARED, tie("value"), fc.oneof(tie("value"), lit(number))),
    call(COMPARED, cols("i", "j"), fc.oneof(cols("i", "j"), lit(fc.integer({ min: -3, max: 3 })))),
    call(COMPARED, cols("s", "t"), fc.oneof(cols("s", "t"), lit(fc.constantFrom("", "a", "ключ")))),
    call(COMPARED, lit(number), tie("value")),
    call("isNull isNotNull", fc.oneof(tie("value"), cols("i", "s", "b"))),
    call("not", tie("truth")),
    call("and or", tie("truth"), tie("truth")),
  ),
}));

/** Values as they are to the bit, except for which NaN. */
const bits = (column: pl.Series): string[] =>
  (column.toArray() as unknown[]).map((one) => (Object.is(one, -0) ? "-0" : String(one)));

test(`what is computed without a query is what the query gives (seed ${seed})`, () => {
  fc.assert(
    fc.property(frames, fc.oneof(value, truth), (rows, tree) => {
      const inline = inlined(tree, schemaOf(rows) as Schema);
      assert.ok(inline, "needs a query");
      const made = inline.of(rows).rename("made") as pl.Series;
      const wanted = rows.select(replay(tree).alias("made")).getColumn("made");
      assert.deepEqual(bits(made), bits(wanted));
      assert.equal(schemaOf(pl.DataFrame([made])).made, schemaOf(pl.DataFrame([wanted])).made);
      assert.equal(inline.dtype, schemaOf(pl.DataFrame([wanted])).made);
    }),
    { seed, numRuns: runs(300) },
  );
});

test("what Polars' planner would convert needs a query", () => {
  const schema = { x: "Float64", i: "Int64", f: "Float32", s: "Utf8", b: "Boolean" };
  const [x, i, f, s, b] = Object.keys(schema).map((name) => ({ $expr: colTree(name) }) as never);
  const of = (name: string) => colTree(name);
  for (const tree of [
    callTree("plus", of("x"), i!),
    callTree("plus", of("i"), i!),
    callTree("plus", of("i"), 1),
    callTree("gt", of("i"), 1.5),
    callTree("gt", of("x"), i!),
    callTree("gt", of("f"), f!),
    callTree("eq", of("s"), x!),
    callTree("plus", of("s"), s!),
    callTree("and", of("i"), b!),
    callTree("plus", of("x"), { $number: "NaN" }),
    callTree("sin", of("x")),
    callTree("round", of("x"), 1),
    callTree("plus", of("missing"), 1),
    { kind: "lit", value: 1 } as const,
  ])
    assert.equal(inlined(tree, schema), undefined, JSON.stringify(tree));
});
