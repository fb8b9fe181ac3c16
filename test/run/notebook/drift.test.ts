import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataFrame } from "nodejs-polars";
import { formatOf } from "../../../lib/format/index.ts";
import { pl, topic } from "../../../lib/index.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { startSchemaRegistry } from "../../support/schema-registry.ts";
import { until } from "../../support/until.ts";
import { testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const record = (value: object, n = 0) => ({
  key: "a",
  value: JSON.stringify(value),
  timestamp: Date.UTC(2026, 0, 1) + n,
});

test("fields that come, and dtypes that change, are named on screen; what is still read is read", async () => {
  const name = await create("drifts", 1);
  await write(
    name,
    Array.from({ length: 50 }, (_, n) => record({ x: n, label: "l" }, n)),
  );
  const live = topic(name, { key: "device" }).live({ from: "earliest" });
  const status = () => live.status as NotebookStatus;
  try {
    await until("the first records are there", () => status().rowsIn === 50, 20_000);
    assert.deepEqual(status().drift, []);
    await write(name, [record({ x: 1.5, label: "l", humidity: 0.4, "<b>": 1 }), record({ x: 2, label: "m" })]);
    await until("the drift is seen", () => status().drift.length >= 3, 20_000);
    assert.deepEqual([...status().drift].sort(), [
      `topic ${name} now has a field "<b>" (Int64) that the schema does not: it is left out`,
      `topic ${name} now has a field "humidity" (Float64) that the schema does not: it is left out`,
      `topic ${name}: "x" was Int64 and now is Float64`,
    ]);
    assert.equal(status().badRecords, 1, "1.5 is no Int64");
    const shown = (live as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]!();
    assert.match(shown["text/html"]!, /the topics have changed.*&quot;humidity&quot;/s);
    assert.doesNotMatch(shown["text/html"]!, /<b>/);
    assert.match(shown["text/plain"]!, new RegExp(`as of 20.* UTC · offsets ${name}\\[0\\] 0–51`));
  } finally {
    await live.stop();
  }
});

test("so are those of a registered schema that a newer one replaces", async (t) => {
  const registry = await startSchemaRegistry();
  process.env.SCHEMA_REGISTRY_URL = registry.url;
  t.after(() => registry.stop());
  const name = await create("drifts-avro", 1);
  const send = async (frame: DataFrame) => {
    const { bytes, starts, ends } = formatOf("avro").encode(frame, frame.columns, name);
    const values = Array.from(starts, (start, i) => bytes.subarray(start, ends[i]));
    await write(
      name,
      values.map((value, n) => ({ key: "a", value, timestamp: n })),
    );
  };
  await send(pl.DataFrame({ x: [1.5, 2], label: ["l", "m"] }));
  const live = topic(name, { format: "avro" }).live({ from: "earliest" });
  const status = () => live.status as NotebookStatus;
  try {
    await until("the first records are there", () => status().rowsIn === 2, 20_000);
    assert.deepEqual(status().drift, []);
    await send(pl.DataFrame({ x: ["one"], label: ["l"], humidity: [0.5] }));
    await until("the drift is seen", () => status().drift.length >= 2, 20_000);
    assert.deepEqual([...status().drift].sort(), [
      `topic ${name} now has a field "humidity" (Float64) that the schema does not: it is left out`,
      `topic ${name}: "x" was Float64 and now is Utf8`,
    ]);
  } finally {
    await live.stop();
  }
});
