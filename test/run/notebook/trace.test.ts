import assert from "node:assert/strict";
import { test } from "node:test";
import type { DataFrame } from "nodejs-polars";
import { pl, topic } from "../../../lib/index.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { until } from "../../support/until.ts";
import { testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const START = Date.UTC(2026, 0, 1);
const reading = (n: number) => ({
  key: `d${n % 3}`,
  value: JSON.stringify({ at: START + n * 100, v: n }),
  timestamp: START,
});
const name = await create("traced", 2);
await write(
  name,
  Array.from({ length: 300 }, (_, n) => reading(n)),
);
const readings = topic(name, { key: "device", time: "at" });
const values = (frame: DataFrame) => (frame.getColumn("value").toArray() as string[]).map((text) => JSON.parse(text).v);
const allNeeded = (frame: DataFrame) => (frame.getColumn("needed").toArray() as boolean[]).every(Boolean);

test("a row of a filter comes from its record, a difference from two, a count from all before it", async () => {
  const doubled = readings.withColumns(pl.col("v").mul(2).alias("twice")).filter(pl.col("v").gt(100));
  const one = await doubled.trace({ device: "d0", twice: 240 });
  assert.deepEqual(values(one), [120]);
  assert.deepEqual(one.columns, ["topic", "partition", "offset", "time", "key", "needed", "value"]);
  assert.equal(one.getColumn("topic").get(0), name);
  const [row] = (
    await readings.select("device", "v", "_partition", "_offset").filter(pl.col("v").eq(120)).collect()
  ).toRecords();
  assert.deepEqual(
    [one.getColumn("partition").get(0), Number(one.getColumn("offset").get(0))],
    [row!._partition, Number(row!._offset)],
  );

  const moving = readings.withColumns(pl.col("v").diff(1, "ignore").over("device").alias("delta"));
  assert.deepEqual(values(await moving.trace({ v: 9, delta: 3 })), [6, 9]);
  const counted = readings.withColumns(pl.col("v").cumCount().over("device").alias("nth"));
  const [fifth] = (await counted.filter(pl.col("device").eq(pl.lit("d1"))).collect()).toRecords().slice(4);
  const trace = await counted.trace({ device: "d1", v: 13, nth: fifth!.nth });
  assert.deepEqual(values(trace), [1, 4, 7, 10, 13]);
  assert.ok(allNeeded(trace));
});

test("the row of a window comes from the records in it, also of a window that is open", async () => {
  const windows = readings
    .groupByDynamic({ indexColumn: "at", every: "1s", by: "device" })
    .agg(pl.col("v").mean().alias("mean"), pl.len().alias("n"));
  const closed = (await windows.collect()).toRecords().find(({ device, n }) => device === "d2" && Number(n) === 4)!;
  const trace = await windows.trace(closed);
  assert.equal(values(trace).reduce((sum, v) => sum + v, 0) / 4, closed.mean);
  assert.equal(trace.height, 4);
  const all = await windows.collect({ final: true });
  const last = all
    .filter(pl.col("device").eq(pl.lit("d2")))
    .sort("window_start")
    .tail(1)
    .toRecords()[0]!;
  assert.equal((await windows.trace(last)).height, Number(last.n));
});

test("the row of a join comes from both sides", async () => {
  const other = await create("traced-names", 2);
  await write(
    other,
    [0, 1, 2].map((n) => ({
      key: `d${n}`,
      value: JSON.stringify({ at: START + n, owner: `o${n}` }),
      timestamp: START,
    })),
  );
  const joined = readings.join(topic(other, { key: "device", time: "at" }), { on: "device", within: "1s" });
  const trace = await joined.trace({ device: "d1", v: 4, owner: "o1" });
  assert.deepEqual((trace.getColumn("topic").toArray() as string[]).sort(), [name, other].sort());
});

test("a row that is not there, no row, a column that is not there", async () => {
  await assert.rejects(readings.trace({ v: -1 }), { code: "NO_SUCH_ROW" });
  await assert.rejects(readings.trace({}), { code: "BAD_OPTION" });
  await assert.rejects(readings.trace({ vv: 1 }), { code: "UNKNOWN_COLUMN" });
  await assert.rejects(readings.trace({ v: 120 }, { until: { 0: 1, 1: 1 } }), { code: "NO_SUCH_ROW" });
});

test("the windows of a live frame that are open, and how its partitions stand", async () => {
  const windows = readings
    .groupByDynamic({ indexColumn: "at", every: "1s", by: "device", grace: "5s" })
    .agg(pl.len().alias("n"));
  const live = windows.live({ from: "earliest" });
  try {
    await until("all is read", () => live.status.lag === 0 && live.status.rowsIn === 300, 20_000);
    const open = await live.openWindows();
    assert.deepEqual(open.columns, ["device", "window_start", "window_end", "n", "closes", "waits"]);
    const closed = await windows.collect();
    const all = await windows.collect({ final: true });
    assert.equal(open.height, all.height - closed.height);
    assert.ok(open.height > 0);
    for (const row of open.toRecords()) {
      assert.equal((row.closes as unknown as Date).getTime(), (row.window_end as unknown as Date).getTime() + 5000);
      assert.ok(Number(row.waits) > 0 && Number(row.waits) <= 6000, String(row.waits));
    }
    const { partitions } = live;
    assert.deepEqual(partitions.columns, [
      "topic",
      "partition",
      "offset",
      "end",
      "lag",
      "watermark",
      "quiet_ms",
      "idle",
    ]);
    assert.equal(
      partitions.toRecords().reduce((sum, { offset }) => sum + Number(offset), 0),
      300,
    );
    live.pause();
    assert.equal((await live.openWindows()).height, open.height, "also while it is paused");
    await live.stop();
    assert.equal((await live.openWindows()).height, open.height, "and after its end");
    assert.equal((live.status as NotebookStatus).state, "stopped");
  } finally {
    await live.stop();
  }
});
