import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { MillraceError } from "../../lib/error.ts";
import { concat, table, topic } from "../../lib/frame/index.ts";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { compile } from "../../lib/operators/program.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";

const options = { key: "device", time: "t", schema: { device: "Utf8", t: "Datetime(ms)", x: "Float64", n: "Int64" } };
const [a, b] = [topic("a", options), topic("b", options)];
const devices = table("devices", { key: "device", schema: { device: "Utf8", model: "Utf8" } });
const build = (frame: StreamFrame) => {
  const sources = sourcesOf([frame.node]);
  return compile([frame.node], new Map(sources.map((source) => [source.id, source.schema!])));
};
const perSecond = (emit: "close" | "update") =>
  b.groupByDynamic({ indexColumn: "t", every: "1s", by: "device", emit }).agg(pl.len().alias("len"));

test("a join that could not be exact, or not bounded, is refused with a code and a way out", () => {
  const cases: [string, () => StreamFrame][] = [
    ["NO_HORIZON", () => a.join(b, { on: "device" })],
    ["NO_HORIZON", () => a.joinAsof(b, { on: "t", by: "device", strategy: "forward" })],
    ["NO_KEY", () => a.join(b, { within: "1s" })],
    ["NO_KEY", () => a.join(b, { leftOn: ["device", "n"], rightOn: "device", within: "1s" })],
    ["NO_KEY", () => a.joinAsof(b, { on: "t" })],
    ["BAD_OPTION", () => a.join(b, { on: "device", within: "1s", nullsEqual: true } as never)],
    ["BAD_OPTION", () => a.join(devices, { on: "device", within: "1s" })],
    ["BAD_OPTION", () => a.join(devices, { on: "device", latest: true, history: "1h" })],
    ["BAD_OPTION", () => a.join(undefined as never, { on: "device" })],
    ["BAD_DURATION", () => a.join(b, { on: "device", within: "-1s" })],
    ["NOT_BUILT", () => a.joinAsof(b, { on: "t", by: "device", strategy: "nearest" as never })],
    ["NO_EXACT_STREAMING_MEANING", () => a.join(devices, { on: "device", how: "full" })],
    [
      "NO_EXACT_STREAMING_MEANING",
      () => a.join(table(polars.DataFrame({ device: ["x"] })), { on: "device", how: "right" }),
    ],
    ["NO_EXACT_STREAMING_MEANING", () => a.join(perSecond("update"), { on: "device", within: "1s" })],
    ["UNKNOWN_COLUMN", () => a.join(b, { on: "devise", within: "1s" })],
    ["KEY_DTYPES", () => a.join(b, { leftOn: "device", rightOn: "n", within: "1s" })],
    ["NOT_EVENT_TIME", () => a.joinAsof(b, { leftOn: "x", rightOn: "t", by: "device" })],
    ["DUPLICATE_COLUMN", () => a.withColumns(pl.col("x").alias("x_right")).join(b, { on: "device", within: "1s" })],
    ["NEEDS_REPARTITION", () => a.join(devices, { leftOn: "device", rightOn: "model" })],
    ["SCHEMAS_DIFFER", () => concat(a, b.drop("x"))],
    ["SCHEMAS_DIFFER", () => concat(a, b.withColumns(pl.col("x").cast(pl.Int64)))],
    ["NO_FRAMES", () => concat(a)],
  ];
  for (const [code, make] of cases)
    assert.throws(
      () => build(make()),
      (error) => {
        assert.ok(error instanceof MillraceError, String(error));
        assert.equal(error.code, code, error.message);
        assert.ok(error.remedies.length > 0, `${code} says what to do`);
        return true;
      },
      make.toString(),
    );
  assert.throws(() => build(concat(a, b.drop("x"))), /"x" is only in the first/);
});

test("explain tells of each join what it keeps and for how long", () => {
  const cases: [StreamFrame, RegExp[]][] = [
    [
      a.joinAsof(b, { on: "t", by: "device", tolerance: "2s" }),
      [/joinAsof backward on t by device within 2s/, /state: right rows of the last 1m/],
    ],
    [
      a.join(b, { on: "device", within: { after: "10s" }, how: "left" }),
      [/join left on device from 0s before to 10s after/, /state: .* for 10s/],
    ],
    [a.join(devices, { on: "device" }), [/the one at the row's event time/, /versions of the last 1h/]],
    [a.join(devices, { on: "device", latest: true }), [/not replayable/]],
    [
      devices.join(table("models", { key: "device" }), { on: "device" }),
      [/join inner of two tables/, /grows with the number of keys/],
    ],
    [a.join(table(polars.DataFrame({ device: ["x"] })), { on: "device" }), [/fixed rows.*digest/, /state: none/]],
    [concat(a, b), [/concat of 2 frames/, /read together/]],
  ];
  for (const [frame, lines] of cases) for (const line of lines) assert.match(frame.explain(), line);
});

test("sides that are placed by other columns are placed anew", () => {
  const program = build(a.join(b, { leftOn: "n", rightOn: "n", within: "1s" }));
  assert.equal(program.sources.length, 2);
  assert.match(JSON.stringify(program.description), /keyBy/);
  assert.doesNotMatch(JSON.stringify(build(a.join(b, { on: ["n", "device"], within: "1s" })).description), /keyBy/);
});

test("fixed rows are part of the fingerprint", () => {
  const joined = (rows: string[]) =>
    build(a.join(table(polars.DataFrame({ device: rows })), { on: "device", how: "semi" }));
  assert.equal(joined(["x"]).fingerprint, joined(["x"]).fingerprint);
  assert.notEqual(joined(["x"]).fingerprint, joined(["y"]).fingerprint);
});
