import assert from "node:assert/strict";
import { test } from "node:test";
import { pl, topic } from "../../lib/index.ts";
import { driver } from "../../lib/test/index.ts";

const NAMES = "height width row rows columns select filter drop lazy slice getColumn dtypes rename then".split(" ");

test("fields may be called like a frame's methods: read, kept as state, in windows, told apart", async () => {
  const numbers = Object.fromEntries(NAMES.map((name) => [name, "Int64"]));
  const boxes = topic("boxes", {
    key: "device",
    time: "timestamp",
    schema: { timestamp: "Datetime(ms)", label: "Utf8", ...numbers },
  });
  const deltas = boxes.withColumns(
    ...NAMES.map((name) => pl.col(name).diff(1, "ignore").over("device").alias(`d_${name}`)),
  );
  const perSecond = boxes
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" })
    .agg(...NAMES.map((name) => pl.col(name).max()));
  const run = driver([deltas, perSecond]);
  for (const i of [0, 1, 2]) {
    const fields = Object.fromEntries(NAMES.map((name, n) => [name, i * (n + 1)]));
    // text with an escape goes through the other parser
    await run.feed([{ device: "a", timestamp: i * 1000, label: i === 1 ? 'a "b"' : "", ...fields }]);
  }
  const column = (frame: typeof deltas, name: string) => run.rows(frame).getColumn(name).toArray();
  NAMES.forEach((name, n) => {
    assert.deepEqual(column(deltas, `d_${name}`), [null, n + 1, n + 1], name);
    assert.deepEqual(column(perSecond, name), [0, n + 1], name);
  });
});
