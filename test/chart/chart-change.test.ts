import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pl from "nodejs-polars";
import { changed } from "../../kernel/labextension/src/plotly/figure.ts";
import {
  type ChartData,
  type ChartOptions,
  chartChange,
  chartData,
  extremes,
  plotlyFigure,
} from "../../lib/chart/index.ts";
import { newSeed } from "../support/seeded.ts";

const START = Date.UTC(2026, 0, 1);
/** Rows `from` to `to` of a stream of two devices, one a second, with a peak and a gap now and then. */
const rows = (from: number, to: number) => {
  const n = Array.from({ length: to - from }, (_, i) => from + i);
  return pl
    .DataFrame({
      t: n.map((i) => START + i * 1000),
      g: n.map((i) => (i % 97 === 0 ? null : i % 101 === 0 ? 1000 + i : Math.sin(i / 10))),
      device: n.map((i) => `d${i % 2}`),
    })
    .withColumns(pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));
};
const figure = (data: ChartData) => plotlyFigure(data, { title: "t" }).data as any[];
const points = (traces: readonly any[]) => traces.map(({ name, x, y }) => ({ name, x, y }));

test("what a front end was told of changes is what it would have been told anew, however rows come and go", () => {
  const seed = newSeed();
  console.log(`seed ${seed}`);
  const window = fc.tuple(fc.nat(1500), fc.integer({ min: 1, max: 4000 }));
  fc.assert(
    fc.property(fc.array(window, { minLength: 2, maxLength: 5 }), fc.boolean(), (windows, split) => {
      const options: ChartOptions = split ? { by: "device" } : {};
      let from = 0;
      let to = 0;
      let drawn: any[] | undefined;
      let before: ChartData | undefined;
      for (const [drop, add] of windows) {
        to += add;
        from = Math.min(to - 1, from + drop);
        const data = chartData(rows(from, to), options);
        const change = before === undefined ? undefined : chartChange(before, data);
        drawn = change === undefined ? figure(data) : changed(drawn!, change as any);
        assert.deepEqual(points(drawn), points(figure(data)));
        before = data;
      }
    }),
    { seed, numRuns: 12 },
  );
});

test("a chart that slides on is told of its new points only, also where it is thinned out", () => {
  for (const step of [7, 50]) {
    let before = chartData(rows(0, 20_000), {});
    for (let at = step; at < 6 * step; at += step) {
      const data = chartData(rows(at, 20_000 + at), {});
      const [change] = chartChange(before, data)!;
      assert.ok(change!.tail.x.length + change!.head.x.length < 120, `${change!.tail.x.length} new points`);
      before = data;
    }
  }
});

test("other traces, other kinds and rows in between are drawn anew", () => {
  const data = chartData(rows(0, 100), { by: "device" });
  assert.equal(chartChange(data, chartData(rows(0, 100), {})), undefined);
  assert.equal(chartChange(data, chartData(rows(0, 100), { by: "device", kind: "scatter" })), undefined);
  assert.equal(chartChange(chartData(rows(0, 100), {}), chartData(rows(500, 600), {})), undefined);
  const bars = chartData(rows(0, 50), { kind: "bar" });
  assert.equal(chartChange(bars, bars), undefined);
});

test("a thinned trace keeps each stretch's extremes, and its gaps", () => {
  const x = Array.from({ length: 100_000 }, (_, i) => START + i * 10);
  const y: (number | null)[] = x.map((_, i) => Math.sin(i / 1000));
  y[12_345] = 99;
  y[54_321] = -99;
  y[70_000] = null;
  const thin = extremes({ name: "a", x, y }, 1000);
  assert.ok(thin.x.length <= 1100, `${thin.x.length}`);
  assert.ok(thin.x.length >= 200);
  for (const value of [99, -99, null]) assert.ok(thin.y.includes(value), String(value));
  assert.equal(thin.x[thin.y.indexOf(99)], x[12_345]);
  assert.deepEqual([thin.x[0], thin.x.at(-1)], [x[0], x.at(-1)]);
  const short = { name: "b", x: [3, 1, 2], y: [1, 2, 3] };
  assert.equal(extremes(short, 1000), short);
});
