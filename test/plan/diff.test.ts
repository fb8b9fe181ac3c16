import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import type { PlanDescription } from "../../lib/plan/describe.ts";
import { planDiff, printPlanDiff } from "../../lib/plan/diff.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";
import type { Schema } from "../../lib/schema.ts";

const SCHEMA = { device: "Utf8", t: "Datetime(ms)", x: "Float64", y: "Float64" };
const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const delta = x.diff(1, "ignore").over("device").alias("delta");
const total = pl.col("y").rollingSum({ windowSize: 3 }).over("device").alias("total");
const windows = (frame: StreamFrame, every = "1s") =>
  frame.groupByDynamic({ indexColumn: "t", every, by: "device" }).agg(x.sum().alias("sum"));

function describe(frame: { node: StreamFrame["node"] }, schema: Schema = SCHEMA): PlanDescription {
  const [source] = sourcesOf([frame.node]);
  // through JSON, as it is kept beside state
  return JSON.parse(JSON.stringify(compile([frame.node], new Map([[source!.id, schema]])).description));
}

const diffs: readonly [string, StreamFrame, StreamFrame, readonly string[]][] = [
  ["the same plan", windows(phones), windows(phones), ["state window_1s_by_device: survives"]],
  [
    "another value of a literal",
    windows(phones.filter(x.gt(1))),
    windows(phones.filter(x.gt(2))),
    ['~ filter pl.col("x").gt(1)', "(other values only)", "state window_1s_by_device: survives"],
  ],
  [
    "a column that windows do not use",
    windows(phones),
    windows(phones.withColumns(pl.col("y").abs().alias("z"))),
    ['+ withColumns pl.col("y").abs().alias("z")', "state window_1s_by_device: survives"],
  ],
  [
    "a filter before windows",
    windows(phones),
    windows(phones.filter(x.gt(1))),
    [
      '+ filter pl.col("x").gt(1)',
      'state window_1s_by_device: rebuilt; "filter pl.col("x").gt(1)" comes before it now',
    ],
  ],
  [
    "the column that windows sum",
    windows(phones),
    windows(phones.withColumns(x.abs().alias("x"))),
    ["state window_1s_by_device: rebuilt"],
  ],
  [
    "the length of windows",
    windows(phones),
    windows(phones, "2s"),
    ["~ groupByDynamic tumbling 1s", "state window_2s_by_device: new", "state window_1s_by_device: dropped"],
  ],
  [
    "state beside state",
    phones.withColumns(delta),
    phones.withColumns(total, delta),
    ["~ withColumns", "state delta_by_device: survives", "state total_by_device: new"],
  ],
  [
    "another name for the same state",
    phones.withColumns(delta),
    phones.withColumns(delta.alias("change")),
    ["state change_by_device (was delta_by_device): survives"],
  ],
];

for (const [what, from, to, expected] of diffs)
  test(`plan diff: ${what}`, () => {
    const text = printPlanDiff(planDiff(describe(from), describe(to)));
    for (const part of expected) assert.ok(text.includes(part), `${part}\nis not in\n${text}`);
  });

test("plan diff: a field of the topic that state does not use changes nothing; one it uses does", () => {
  const kept = planDiff(describe(windows(phones)), describe(windows(phones), { ...SCHEMA, y: "Utf8" }));
  assert.deepEqual(
    kept.stores.map(({ becomes }) => becomes),
    ["survives"],
  );
  const lost = planDiff(describe(windows(phones)), describe(windows(phones), { ...SCHEMA, x: "Int64" }));
  assert.deepEqual(
    lost.stores.map(({ becomes }) => becomes),
    ["rebuilt"],
  );
});
