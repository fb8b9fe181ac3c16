import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { chartBundle, chartData } from "../../lib/chart/index.ts";

const frame = pl
  .DataFrame({ t: [1000, 2000, 3000, 4000], g: [1, 2.5, null, 4], device: ["b", "a", "b", "a"] })
  .withColumns(pl.col("t").cast(pl.Int64).cast(pl.Datetime("ms")));

test("x is the first datetime and y the first number, one trace per value of by", () => {
  const data = chartData(frame, { by: "device" });
  assert.deepEqual([data.xTitle, data.yTitle, data.xIsTime], ["t", "g", true]);
  assert.deepEqual(data.traces, [
    { name: "a", x: [2000, 4000], y: [2.5, 4] },
    { name: "b", x: [1000, 3000], y: [1, null] },
  ]);
});

test("every kind has a Plotly figure and a picture without script", () => {
  for (const kind of ["line", "scatter", "bar", "histogram"] as const) {
    const bundle = chartBundle(frame, { kind, by: "device" }, "<phones>") as any;
    assert.deepEqual(Object.keys(bundle), ["application/vnd.plotly.v1+json", "text/html", "text/plain"]);
    assert.equal(bundle["application/vnd.plotly.v1+json"].data.length, 2);
    assert.match(bundle["text/html"], /^<svg .*&lt;phones&gt;.*<\/svg>$/s);
    assert.doesNotMatch(bundle["text/html"], /NaN|undefined|<script|<phones>/);
  }
});

test("a heat map counts rows, or shows the mean of a column, by values or stretches of both axes", () => {
  const counts = chartData(frame, { kind: "heatmap", x: "t", y: "device" }).cells!;
  assert.deepEqual(counts.y, ["a", "b"]);
  assert.equal(
    counts.z.flat().reduce((sum: number, each) => sum + (each ?? 0), 0),
    4,
  );
  const means = chartData(frame, { kind: "heatmap", x: "device", y: "device", z: "g" }).cells!;
  assert.deepEqual(means, {
    x: ["a", "b"],
    y: ["a", "b"],
    z: [
      [3.25, null],
      [null, 1],
    ],
    left: 0,
  });
  const bundle = chartBundle(frame, { kind: "heatmap", x: "t", y: "device", z: "g" }, "<phones>") as any;
  assert.equal(bundle["application/vnd.plotly.v1+json"].data[0].type, "heatmap");
  assert.match(bundle["text/html"], /^<svg .*&lt;phones&gt;.*mean of g: 1 \(dark\) to 4 \(bright\).*<\/svg>$/s);
  const none = String(chartBundle(frame.head(0), { kind: "heatmap", x: "t", y: "device" }, "t")["text/html"]);
  assert.doesNotMatch(none, /NaN|Infinity/);
  assert.match(none, /no rows/);
});

test("names and titles are text for Plotly too, which would take tags for markup", () => {
  const odd = frame.withColumns(pl.lit("<b>&amp;</b>").alias("<i>by</i>"));
  const bundle = chartBundle(odd, { by: "<i>by</i>" }, "<a href='x'>t</a>") as any;
  const { data, layout } = bundle["application/vnd.plotly.v1+json"];
  assert.equal(data[0].name, "&lt;b>&amp;amp;&lt;/b>");
  assert.equal(layout.title.text, "&lt;a href='x'>t&lt;/a>");
});

test("a line is interrupted by a null, and an empty frame draws empty axes", () => {
  assert.match(String(chartBundle(frame, {}, "t")["text/html"]), /d="M[^L]*L[^LM]*M[^LM]*"/);
  assert.doesNotMatch(String(chartBundle(frame.head(0), {}, "t")["text/html"]), /NaN/);
});

test("a column that is not there or no number is refused, naming those that are", () => {
  assert.throws(() => chartData(frame, { y: "gForce" }), { code: "UNKNOWN_COLUMN", message: /t, g, device/ });
  assert.throws(() => chartData(frame, { y: "device" }), { code: "NOTHING_TO_PLOT" });
  assert.throws(() => chartData(frame, { kind: "heatmap", y: ["g", "t"] }), { code: "NOTHING_TO_PLOT" });
  assert.throws(() => chartData(frame, { kind: "heatmap", y: "g", z: "device" }), { code: "NOTHING_TO_PLOT" });
  assert.throws(() => chartData(frame, { kind: "pie" as "line" }), { code: "BAD_OPTION" });
});

test("the picture without script has round marks, names beside it, and a dot for a point that is alone", () => {
  const times = [33_000, 90_000, 150_000, 213_000].map((ms) => Date.UTC(2026, 0, 1) + ms);
  const frame = pl
    .DataFrame({
      time: [...times, ...times],
      by: [..."aaaabbbb"],
      v: pl.Series("v", [0, null, 2, 4, 1, 2, null, 3], pl.Float64),
    })
    .withColumns(pl.col("time").cast(pl.Int64).cast(pl.Datetime("ms")));
  const svg = (chartBundle(frame, { x: "time", y: "v", by: "by" }, "t") as { "text/html": string })["text/html"];
  const marks = [...svg.matchAll(/text-anchor="(?:middle|end)" fill="#444444">([^<]*)</g)].map(([, text]) => text);
  assert.deepEqual(marks, [
    "0",
    "1",
    "2",
    "3",
    "4",
    "00:01:00",
    "00:01:30",
    "00:02:00",
    "00:02:30",
    "00:03:00",
    "00:03:30",
  ]);
  assert.equal(svg.match(/<circle /g)?.length, 2); // `a` before its null, `b` after
  const right = Math.max(...[...svg.matchAll(/[ML]([\d.]+) /g)].map(([, left]) => Number(left)));
  assert.ok([...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="9"/g)].every(([, left]) => Number(left) > right));
});
