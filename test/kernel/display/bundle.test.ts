import assert from "node:assert/strict";
import { test } from "node:test";
import pl from "nodejs-polars";
import { toBundle } from "../../../kernel/display/bundle.ts";

const DISPLAY = Symbol.for("Jupyter.display");
const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2]);

const rows: readonly (readonly [what: string, value: unknown, bundle: Record<string, unknown>])[] = [
  ["a number", 1, { "text/plain": "1" }],
  ["a string", "x", { "text/plain": "'x'" }],
  ["a text of several lines", "a 'b'\n  c", { "text/plain": "a 'b'\n  c" }],
  ["a line with its end", "a\n", { "text/plain": "'a\\n'" }],
  ["a text of very many lines", "\n".repeat(10_005), { "text/plain": `${"\n".repeat(10_000)}… 5 more characters` }],
  ["a map", new Map([["a", 1]]), { "text/plain": "Map(1) { 'a' => 1 }" }],
  ["a typed array", new Float64Array([1, 2]), { "text/plain": "Float64Array(2) [ 1, 2 ]" }],
  ["a bundle", { "text/html": "<b>x</b>" }, { "text/html": "<b>x</b>" }],
  ["bytes in a bundle", { "image/png": PNG }, { "image/png": PNG.toString("base64") }],
  ["a picture", PNG, { "image/png": PNG.toString("base64"), "text/plain": "image/png, 10 bytes" }],
  [
    "a picture as fetch gives it",
    new Uint8Array(PNG).buffer,
    { "image/png": PNG.toString("base64"), "text/plain": "image/png, 10 bytes" },
  ],
  [
    "a picture in WebP",
    Buffer.from("RIFF\0\0\0\0WEBPVP8 ", "latin1"),
    { "image/webp": "UklGRgAAAABXRUJQVlA4IA==", "text/plain": "image/webp, 16 bytes" },
  ],
  ["bytes that are no picture", Buffer.from("<so>"), { "text/plain": "<Buffer 3c 73 6f 3e>" }],
  [
    "a drawing",
    Buffer.from("<svg xmlns='x'/>"),
    { "image/svg+xml": "<svg xmlns='x'/>", "text/plain": "image/svg+xml, 16 bytes" },
  ],
  [
    "what describes itself",
    { [DISPLAY]: () => ({ "text/html": "h", "application/vnd.dataresource+json": {} }) },
    { "text/html": "h" },
  ],
  ["what shows itself elsewhere", { [DISPLAY]: () => ({}) }, {}],
];

for (const [what, value, bundle] of rows) test(what, async () => assert.deepEqual(await toBundle(value), bundle));

test("what describes itself later", async () => {
  assert.deepEqual(await toBundle({ [DISPLAY]: async () => ({ "text/plain": "later" }) }), { "text/plain": "later" });
});

test("a frame: a table with dtypes, escaped, and Polars' own text; no dataresource", async () => {
  const frame = pl.DataFrame({ n: [1, 2], "<s>": ["a<b", null], at: [new Date(0), new Date(1500)] });
  const bundle = await toBundle(frame);
  assert.deepEqual(Object.keys(bundle).sort(), ["text/html", "text/plain"]);
  const html = String(bundle["text/html"]);
  for (const part of [
    "<th>&lt;s&gt;</th>",
    "Float64",
    "Datetime(ms)",
    "a&lt;b",
    "1970-01-01T00:00:01.500Z",
    "2 rows × 3 columns",
  ])
    assert.ok(html.includes(part), `${part} in ${html}`);
  assert.match(String(bundle["text/plain"]), /shape: \(2, 3\)/);
});

test("a long frame shows its first and last rows, and the first 200 in pages to unfold", async () => {
  const html = String((await toBundle(pl.DataFrame({ n: Array.from({ length: 1000 }, (_, n) => n) })))["text/html"]);
  for (const part of [
    "<td>0</td>",
    "<td>…</td>",
    "<td>999</td>",
    "1000 rows",
    "rows 0 to 39<",
    "rows 160 to 199<",
    "<td>101</td>",
    "frame.slice(200, 200)",
  ])
    assert.ok(html.includes(part), part);
  assert.ok(!html.includes("<td>500</td>"));
  assert.equal(html.match(/<details>/g)?.length, 5);
});

test("a wide frame has fewer rows in pages", async () => {
  const wide = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`c${n}`, Array(300).fill(n)]));
  const html = String((await toBundle(pl.DataFrame(wide)))["text/html"]);
  assert.ok(html.includes("60 columns not shown") && html.includes("rows 80 to 99<") && !html.includes("rows 120 to"));
});

test("a Plotly figure: typed arrays, series, dates and bigints wherever they are in it", async () => {
  const bundle = await toBundle({
    data: [
      { type: "bar", name: "n", x: new Float64Array([1, Number.NaN, 3]), y: pl.Series("s", [1, 2, 3]) },
      { z: [new Int32Array([1, 2]), new BigInt64Array([3n, 4n])], marker: { size: new Uint8Array([5]), color: [6n] } },
      { x: [new Date(0), null], y: new Float32Array([0.5, 1]) },
    ],
    layout: { title: { text: "All" }, xaxis: { tickvals: new Float64Array([1]) }, shapes: [{ x0: 7n }] },
    frames: [{ data: [{ y: new Float64Array([8]) }] }],
  });
  assert.deepEqual(bundle["application/vnd.plotly.v1+json"], {
    data: [
      { type: "bar", name: "n", x: [1, null, 3], y: [1, 2, 3] },
      {
        z: [
          [1, 2],
          [3, 4],
        ],
        marker: { size: [5], color: [6] },
      },
      { x: ["1970-01-01T00:00:00.000Z", null], y: [0.5, 1] },
    ],
    layout: { title: { text: "All" }, xaxis: { tickvals: [1] }, shapes: [{ x0: 7 }] },
    frames: [{ data: [{ y: [8] }] }],
  });
  assert.equal(bundle["text/plain"], "All: bar n (3 points), scatter  (0 points), scatter  (2 points)");
  const cyclic: any = { data: [], layout: {} };
  cyclic.layout.self = cyclic.layout;
  assert.throws(() => toBundle(cyclic), /a Plotly figure cannot be sent as JSON/);
});

const refuse = () => {
  throw new Error("trap");
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const mute = new Proxy({}, { get: refuse, ownKeys: refuse, getPrototypeOf: refuse, has: refuse });
for (const [what, value, shown] of [
  ["a proxy whose traps throw", mute, /^\{\}$/],
  ["such a proxy within an object", { inner: mute }, /inner: \{\}/],
  ["such a proxy of a function", new Proxy(() => 1, { get: refuse, apply: refuse }), /Function/],
  ["a revoked proxy", revoked(), /Revoked/],
  ["an object whose getters throw", Object.defineProperty({}, "data", { get: refuse, enumerable: true }), /Getter/],
  [
    "what cannot be inspected",
    {
      [Symbol.for("nodejs.util.inspect.custom")]: refuse,
    },
    /cannot be shown \(object\): trap/,
  ],
] as const)
  test(what, async () => assert.match(String((await toBundle(value))["text/plain"]), shown));

test("what fails to describe itself says so", () => {
  assert.throws(() => toBundle({ [DISPLAY]: refuse }), /trap/);
});

test("a series and an empty frame", async () => {
  assert.match(String((await toBundle(pl.Series("s", ["x"])))["text/html"]), /<th>s<\/th>/);
  assert.match(String((await toBundle(pl.DataFrame({})))["text/html"]), /0 rows × 0 columns/);
});

test("a Plotly figure: its own type, and a table of traces for those who cannot draw it", async () => {
  const figure = { data: [{ type: "bar", name: "a", x: [1], y: [2] }], layout: { title: { text: "T" } } };
  const bundle = await toBundle(figure);
  assert.deepEqual(bundle["application/vnd.plotly.v1+json"], figure);
  assert.match(String(bundle["text/html"]), /<td>bar<\/td>/);
  assert.equal(bundle["text/plain"], "T: bar a (1 points)");
});

test("a Plotly figure without Plotly: a picture where it is of a kind that has one", async () => {
  const htmlOf = async (...data: object[]) =>
    String(
      (await toBundle({ data, layout: { xaxis: { title: { text: "when" } }, yaxis: { title: "how much" } } }))[
        "text/html"
      ],
    );
  const drawn: Readonly<Record<string, [html: string, what: RegExp]>> = {
    lines: [
      await htmlOf({ x: [1, 2, 3], y: [1, null, 3] }, { mode: "markers", x: [1, 2], y: [4, 5] }),
      /<path d="M.*trace 1/s,
    ],
    points: [await htmlOf({ type: "scattergl", mode: "markers", y: [1, 2, 3] }), /(<circle .*){3}/s],
    bars: [await htmlOf({ type: "bar", x: ["a", "b<"], y: [1, 2] }), />b&lt;<\/text>/],
    times: [await htmlOf({ x: [new Date(0), new Date(60_000)], y: [1, 2] }), />00:00:30</],
    days: [await htmlOf({ x: ["2026-01-01", "2026-02-01 12:00"], y: [1, 2] }), />2026-01-\d\d</],
    histogram: [await htmlOf({ type: "histogram", x: [1, 2, 2, 3] }), /<rect [^>]*stroke="none"/],
    heatmap: [
      await htmlOf({ type: "heatmap", z: [[1, 2], [3]], x: ["p", "q"] }),
      /z: 1 \(dark\) to 3.*>p<\/text>|>p<\/text>.*z: 1 \(dark\) to 3/s,
    ],
  };
  for (const [name, [html, what]] of Object.entries(drawn)) {
    assert.match(html, /^<svg [^>]*role="img" aria-label="[^"]*how much over when"/, name);
    assert.match(html, what, name);
  }
  for (const other of [
    { type: "pie", values: [1] },
    { type: "bar", orientation: "h", x: [1], y: ["a"] },
    { y: ["a"] },
    { type: "heatmap", z: [["a"]] },
    { mode: "text", y: [1] },
    { y: [1], visible: false },
  ])
    assert.match(await htmlOf(other), /^<table /, JSON.stringify(other));
  assert.match(await htmlOf({ type: "bar", y: [1] }, { y: [1] }), /^<table /);
});
