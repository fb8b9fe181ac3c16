import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { DataFrame } from "nodejs-polars";
import { pl, topic } from "../../../lib/index.ts";
import { partitionOf } from "../../../lib/log/index.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { until } from "../../support/until.ts";
import { notebook } from "./notebook-host.ts";
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
// open from here on: at the end of this file its partitions have long been quiet
const windows = readings
  .groupByDynamic({ indexColumn: "at", every: "1s", by: "device", grace: "5s" })
  .agg(pl.len().alias("n"));
const live = windows.live({ from: "earliest" });
after(() => live.stop());
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

test("a record that one program reads twice is listed once", async () => {
  const one = await create("traced-twice", 2);
  const rows = [
    { key: "a", value: JSON.stringify({ at: START, room: "b", v: 1 }), timestamp: START },
    { key: "b", value: JSON.stringify({ at: START + 100, room: "b", v: 2 }), timestamp: START },
    { key: "b", value: JSON.stringify({ at: START + 2500, room: "a", v: 3 }), timestamp: START },
    { key: "a", value: JSON.stringify({ at: START + 2600, room: "a", v: 4 }), timestamp: START },
  ];
  await write(one, rows);
  const phones = topic(one, { key: "device", time: "at" });
  const byRoom = phones
    .groupByDynamic({ indexColumn: "at", every: "1s", by: "room" })
    .agg(pl.col("v").sum().alias("sum"));
  const met = phones
    .select("device", "v")
    .joinAsof(byRoom.select(pl.col("room").alias("device"), "sum"), { by: "device" });
  assert.match(met.explain(), /read again/);
  // the row of b at 2500 finds the window of room b, made of the first two records
  const trace = await met.trace({ device: "b", v: 3, sum: 3 });
  assert.deepEqual(values(trace).toSorted(), [1, 2, 3]);
  assert.ok(allNeeded(trace));
  // the value has what both of the reads used
  assert.ok(
    trace
      .getColumn("value")
      .toArray()
      .every((text) => "room" in JSON.parse(String(text))),
  );
});

test("a long search says how far it is, and is cancelled", async () => {
  const slow = readings.map(
    (row) => {
      for (const end = performance.now() + 2; performance.now() < end; );
      return { v: row.v };
    },
    { schema: { v: "Int64" }, keep: ["device"] },
  );
  const counted = slow.withColumns(pl.col("v").cumSum().over("device").alias("sum"));
  const sum = Array.from({ length: 80 }, (_, i) => 1 + 3 * i).reduce((a, b) => a + b);
  const { end, updates, interrupt } = notebook();
  try {
    const failed = assert.rejects(counted.trace({ device: "d1", sum }), { message: "the cell was interrupted" });
    const said = () => String(updates.at(-1)?.["text/plain"] ?? "");
    await until(
      "it says so",
      () =>
        /^trace: \d+ of 300 records may be needed, \d+ runs of the plan in [\d.]+ s, at most \d+ s left$/.test(said()),
      20_000,
    );
    assert.match(String(updates.at(-1)!["text/html"]), /<progress value="0\.\d+" aria-label="trace">/);
    interrupt.abort(new Error("the cell was interrupted"));
    await failed;
  } finally {
    end();
  }
});

/** What is open of {@link windows}, and the watermark of each partition: counted by hand. */
function openByHand() {
  const all = Array.from({ length: 300 }, (_, n) => ({ device: `d${n % 3}`, at: START + n * 100 }));
  const place = (device: string) => partitionOf(2, Buffer.from(device));
  const watermarks = [0, 1].map((partition) =>
    Math.max(...all.filter(({ device }) => place(device) === partition).map(({ at }) => at)),
  );
  const counts = new Map<string, number>();
  for (const { device, at } of all) {
    const window = `${device} ${at - (at % 1000)}`;
    counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  const open = [...counts].flatMap(([window, n]) => {
    const [device, start] = window.split(" ") as [string, string];
    const closes = Number(start) + 6000;
    const waits = closes - watermarks[place(device)]!;
    return waits <= 0 ? [] : [{ device, start: Number(start), n, closes, waits }];
  });
  return { open, watermarks, counts: [0, 1].map((p) => all.filter(({ device }) => place(device) === p).length) };
}

test("the windows of a live frame that are open, and how its partitions stand", async () => {
  await until("all is read", () => live.status.lag === 0 && live.status.rowsIn === 300, 20_000);
  const open = await live.openWindows();
  assert.deepEqual(open.columns, ["device", "window_start", "window_end", "n", "closes", "waits"]);
  const byHand = openByHand();
  assert.ok(byHand.open.length > 10);
  const ms = (value: unknown) => (value as Date).getTime();
  assert.deepEqual(
    open
      .sort(["device", "window_start"])
      .toRecords()
      .map(({ device, window_start, window_end, n, closes, waits }) => {
        assert.equal(ms(window_end), ms(window_start) + 1000);
        return { device, start: ms(window_start), n: Number(n), closes: ms(closes), waits: Number(waits) };
      }),
    byHand.open.toSorted((a, b) => a.device.localeCompare(b.device) || a.start - b.start),
  );
  const closed = await windows.collect();
  const all = await windows.collect({ final: true });
  assert.equal(open.height, all.height - closed.height);

  const standing = () => live.partitions.toRecords().toSorted((a, b) => Number(a.partition) - Number(b.partition));
  for (const [partition, row] of standing().entries()) {
    const { watermark, quiet_ms, idle, ...rest } = row;
    const count = byHand.counts[partition]!;
    assert.deepEqual(
      { ...rest, offset: Number(rest.offset), end: Number(rest.end), lag: Number(rest.lag) },
      { topic: name, partition, offset: count, end: count, lag: 0 },
    );
    assert.equal(ms(watermark), byHand.watermarks[partition]);
    assert.equal(idle, Number(quiet_ms) >= 5000);
  }
  await until("both have been quiet for five seconds", () => standing().every(({ idle }) => idle === true), 20_000);
  assert.ok(standing().every(({ quiet_ms }) => Number(quiet_ms) >= 5000));
  live.pause();
  assert.equal((await live.openWindows()).height, open.height, "also while it is paused");
  await live.stop();
  assert.equal((await live.openWindows()).height, open.height, "and after its end");
  assert.equal((live.status as NotebookStatus).state, "stopped");
});

test("a partition that speaks again is no longer idle", async () => {
  const own = await create("speaks-again", 2);
  const records = ["d0", "d1", "d2", "d3"].map((key, n) => ({ ...reading(n), key }));
  await write(own, records);
  const frame = topic(own, { key: "device", time: "at" }).live({ from: "earliest" });
  try {
    const quiet = () =>
      new Map(frame.partitions.toRecords().map(({ partition, quiet_ms }) => [partition, Number(quiet_ms)]));
    await until(
      "all is read, and has been quiet",
      () => frame.status.rowsIn === 4 && Math.min(...quiet().values()) > 300,
      20_000,
    );
    assert.ok(frame.partitions.toRecords().every(({ idle, quiet_ms }) => idle === Number(quiet_ms) >= 5000));
    await write(own, [records[0]!]);
    await until("one more is read", () => frame.status.rowsIn === 5, 20_000);
    const spoke = partitionOf(2, Buffer.from("d0"));
    assert.ok(quiet().get(spoke)! < quiet().get(1 - spoke)! - 300, JSON.stringify([...quiet()]));
  } finally {
    await frame.stop();
  }
});
