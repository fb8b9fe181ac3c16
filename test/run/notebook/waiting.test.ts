// Live frames over topics that are not there yet, go away, come back or grow.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "@platformatic/kafka";
import type { LiveFrame } from "../../../lib/frame/driver.ts";
import { pl, topic } from "../../../lib/index.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { uniqueName } from "../../support/broker.ts";
import { until } from "../../support/until.ts";
import { readings, testTopics } from "./topics.ts";

const { bootstrapServers, cluster, create, write } = await testTopics();
const status = (live: LiveFrame) => live.status as NotebookStatus;
const text = (live: LiveFrame): string => (live as any)[Symbol.for("Jupyter.display")]()["text/plain"];
const make = (name: string, partitions = 2) =>
  cluster.createTopic(name, { partitions, config: { "retention.ms": "-1" } });

test("a topic that is not there is waited for, with what is wrong on screen, and read once it has records", async () => {
  const name = uniqueName("later");
  const live = topic(name, { key: "device", time: "timestamp" }).live();
  try {
    await until("it waits", () => live.status.state === "waiting");
    assert.match(text(live), /^waiting, looking again every second: There is no topic "later-/);
    assert.match(text(live), /what to do/);
    live.pause(); // there is nothing to pause
    assert.equal(live.status.state, "waiting");
    await make(name);
    await until("it waits for records", () => /holds no records yet/.test(String(live.status.error)));
    await write(name, readings(5));
    await until("the rows", () => live.status.rowsOut === 5);
    assert.deepEqual([live.status.state, live.status.error], ["reading", undefined]);
    assert.doesNotMatch(text(live), /There is no topic|holds no records/);
  } finally {
    await live.stop();
  }
});

test("a frame that waits is stopped at once", async () => {
  const live = topic(uniqueName("never")).live();
  await until("it waits", () => live.status.state === "waiting");
  await live.stop();
  assert.equal(live.status.state, "stopped");
  assert.match(text(live), /There is no topic/);
});

test("a topic that is deleted leaves its last rows in view; one made again is read from its start, with its own schema and fresh state", async () => {
  const name = await create("gone", 1);
  await write(name, readings(5));
  const live = topic(name, { key: "device", time: "timestamp" })
    .withColumns(pl.col("gForceX").cumCount().over("device").alias("nth"))
    .live({ from: "earliest" });
  try {
    await until("the rows", () => live.status.rowsOut === 5);
    await cluster.deleteTopic(name);
    await until("it waits", () => live.status.state === "waiting");
    assert.equal(live.df.height, 5);
    await make(name, 1);
    // a number has become text since
    const other = readings(3).map(({ key, value, timestamp }) => {
      const row = { ...JSON.parse(value as string), gForceY: "high" };
      return { key, value: JSON.stringify(row), timestamp };
    });
    await write(name, other);
    await until("the new rows", () => live.status.state === "reading" && live.status.rowsOut === 3);
    assert.deepEqual(live.df.getColumn("gForceY").toArray(), ["high", "high", "high"]);
    assert.deepEqual(live.df.getColumn("nth").toArray(), [1, 1, 1]);
    assert.match(text(live), /was deleted and made again: since .* UTC the new one is read, from its start/);
    assert.equal(live.status.badRecords, 0);
  } finally {
    await live.stop();
  }
});

test("partitions that a topic gets while it is read are said not to be read, until one goes to a place", {
  timeout: 60_000,
}, async () => {
  const name = await create("grows", 1);
  await write(name, readings(5));
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest" });
  const admin = new Admin({ clientId: "grows", bootstrapBrokers: [bootstrapServers] });
  try {
    await until("the rows", () => live.status.rowsOut === 5);
    await admin.createPartitions({ topics: [{ name, count: 3 }] as any });
    await until("it is said", () =>
      status(live).drift.some((line) => /now has 3 partitions, of which 1 are/.test(line)),
    );
    await write(name, readings(50, 5));
    await live.seek("earliest");
    await until("all rows", () => live.status.rowsOut === 55);
    assert.deepEqual(status(live).drift, []);
  } finally {
    await live.stop();
    await admin.close();
  }
});

test("open windows are counted in the status", async () => {
  const name = await create("open", 1);
  await write(name, readings(200));
  const live = topic(name, { key: "device", time: "timestamp" })
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" })
    .agg(pl.len().alias("n"))
    .live({ from: "earliest" });
  try {
    await until("all is read", () => status(live).rowsIn === 200);
    assert.equal(status(live).openWindows, (await live.openWindows()).height);
    assert.match(text(live), /· 7 open windows · 7 rows of state/);
  } finally {
    await live.stop();
  }
});

test("metadata that a chart names is there for it", async () => {
  const name = await create("offsets", 1);
  await write(name, readings(20));
  const chart = topic(name, { key: "device" }).plot({ x: "_time", y: "_offset", from: "earliest" });
  try {
    await until("the rows", () => chart.status.rowsOut === 20);
    assert.match(text(chart), /line of _offset over _time, 1 traces, 20 rows/);
  } finally {
    await chart.stop();
  }
});
