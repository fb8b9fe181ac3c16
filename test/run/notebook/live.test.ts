import assert from "node:assert/strict";
import { test } from "node:test";
import type { LiveFrame } from "../../../lib/frame/driver.ts";
import { pl, topic } from "../../../lib/index.ts";
import type { MimeBundle } from "../../../lib/run/host.ts";
import type { NotebookStatus } from "../../../lib/run/notebook/live-status.ts";
import { until } from "../../support/until.ts";
import { notebook } from "./notebook-host.ts";
import { readings, testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const status = (live: LiveFrame) => live.status as NotebookStatus;
const show = (live: LiveFrame): MimeBundle => (live as any)[Symbol.for("Jupyter.display")]();

test("a live frame keeps the latest rows, counts what it drops, and follows the topic", async () => {
  const name = await create("live");
  await write(name, readings(500));
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest", keep: 100 });
  try {
    await until("500 rows are in", () => live.status.rowsOut === 500);
    assert.equal(live.df.height, 100);
    assert.equal(live.status.dropped, 400);
    const last = () => (live.df.tail(1).toRecords()[0] as any).timestamp.getTime();
    assert.equal(last(), readings(500).at(-1)!.timestamp);
    await write(name, readings(10, 500));
    await until("10 more rows are in", () => live.status.rowsOut === 510);
    assert.equal(last(), readings(510).at(-1)!.timestamp);
    assert.deepEqual([live.df.height, live.status.dropped, live.status.lag], [100, 410, 0]);
  } finally {
    await live.stop();
  }
  assert.equal(live.status.state, "stopped");
});

test("a span of event time is kept where keep is a duration", async () => {
  const name = await create("span");
  await write(name, readings(500));
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest", keep: "1s" });
  await until("500 rows are in", () => live.status.rowsOut === 500);
  assert.equal(live.df.height, 101);
  await live.stop();
});

test("without a place it starts a minute back, or at the newest records where that is empty", async () => {
  const [old, recent] = [await create("old"), await create("recent", 1)];
  await write(old, readings(50));
  await write(recent, [...readings(50), ...readings(5, 0, Date.now() - 5000)]);
  const lives = [topic(old, { key: "device" }).live(), topic(recent, { key: "device" }).live()] as const;
  await until("rows of both", () => lives[0].status.rowsOut === 50 && lives[1].status.rowsOut === 5);
  await Promise.all(lives.map((live) => live.stop()));
});

test("pause, step, resume and seek", async () => {
  const name = await create("steps", 1);
  await write(name, readings(100));
  const live = topic(name, { key: "device", time: "timestamp" })
    .withColumns(pl.col("gForceX").cumCount().over("device").alias("nth"))
    .live({ from: "earliest" });
  try {
    await until("100 rows are in", () => live.status.rowsOut === 100);
    live.pause();
    assert.equal(live.status.state, "paused");
    await write(name, readings(10, 100));
    await live.step();
    assert.equal(live.status.rowsOut, 110);
    assert.equal(live.status.state, "paused");
    await write(name, readings(10, 110));
    live.resume();
    await until("all rows are in", () => live.status.rowsOut === 120);
    await live.seek({ 0: 100 });
    await until("the rows from there on are in", () => live.status.rowsOut === 20);
    // state begins anew at the place
    assert.equal(Math.max(...live.df.getColumn("nth").toArray().map(Number)), 3);
    await assert.rejects(live.seek("nowhere"), { code: "BAD_POSITION" });
    assert.equal(live.status.state, "reading");
  } finally {
    await live.stop();
  }
  await assert.rejects(live.step(), /was stopped/);
});

test("displays are coalesced snapshots of the same mime types, with the table, its dtypes, a status and the bad records", async () => {
  const host = notebook();
  const name = await create("shown", 1);
  await write(name, readings(20));
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest", hz: 10, rows: 5 });
  try {
    assert.deepEqual(show(live), {});
    await until("rows are in", () => live.status.rowsOut === 20);
    await write(name, [{ key: "a", value: '{"gForceX":"<b>fast"}', timestamp: 0 }]);
    const started = performance.now();
    for (let i = 0; i < 20; i++) await write(name, readings(1, 20 + i));
    await until("the last row is shown", () => String(host.updates.at(-1)!["text/html"]).includes("40 rows kept"));
    assert.ok(host.updates.length <= 12 + (performance.now() - started) / 100, `${host.updates.length} updates`);
    for (const bundle of host.updates) assert.deepEqual(Object.keys(bundle).sort(), ["text/html", "text/plain"]);
    const html = String(host.updates.at(-1)!["text/html"]);
    assert.match(html, /<th scope="col">gForceX<br><small>Float64<\/small>/);
    assert.equal(html.match(/<tr>/g)!.length, 1 + 5 + 2);
    assert.match(html, /1 bad record left out/);
    assert.match(
      html,
      new RegExp(`<td>${name}</td><td>0</td><td>20</td><td>gForceX: &quot;&lt;b&gt;fast&quot; is not a Float64`),
    );
    assert.doesNotMatch(html, /<script|<b>fast/);
    assert.deepEqual(host.reads.at(-1)!.ranges, { 0: [0, 41] });
    // the cell that it belongs to ends it
    host.interrupt.abort();
    await until("it has stopped", () => live.status.state === "stopped");
    assert.match(String(host.updates.at(-1)!["text/plain"]), /^stopped/);
  } finally {
    await live.stop();
    host.end();
  }
});

test("headless, the cell is held until the bound and keeps a final snapshot from the earliest record on", async () => {
  const host = notebook(true, 300);
  const name = await create("headless", 2);
  await write(name, readings(30));
  const live = topic(name, { key: "device", time: "timestamp" }).live();
  show(live);
  try {
    assert.equal(host.held.length, 1);
    await host.held[0];
    assert.equal(live.status.state, "stopped");
    assert.match(String(host.updates.at(-1)!["text/plain"]), /stopped .* 30 rows/);
    assert.deepEqual(Object.keys(host.reads[0]!.schema), ["gForceX", "gForceY", "gForceZ", "timestamp"]);
  } finally {
    host.end();
  }
});

test("a live frame that fails says why, and fails its headless cell", async () => {
  const host = notebook(true);
  try {
    const live = topic("no-such-topic-here").live();
    await assert.rejects(host.held[0] as Promise<unknown>, { code: "TOPIC_NOT_FOUND" });
    assert.equal(live.status.state, "failed");
    assert.match(String((live.status.error as Error).message), /There is no topic/);
  } finally {
    host.end();
  }
});

test("late rows and state are counted in the status", async () => {
  const name = await create("late", 1);
  await write(name, [...readings(300), ...readings(5)]);
  const live = topic(name, { key: "device", time: "timestamp" })
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" })
    .agg(pl.len().alias("n"))
    .live({ from: "earliest" });
  await until("all is read", () => live.status.rowsIn === 305);
  assert.equal(status(live).late, 5);
  assert.ok(status(live).stateRows > 0);
  await live.stop();
});

test("plot is a live chart of constant mime types; a column that is not there stops it with the names that are", async () => {
  const host = notebook();
  const name = await create("plot");
  await write(name, readings(100));
  const phone = topic(name, { key: "device", time: "timestamp" });
  try {
    const chart = phone.plot({ from: "earliest", y: "gForceX", by: "device" });
    show(chart);
    await until(
      "the chart has its traces",
      () => (host.updates.at(-1) as any)["application/vnd.plotly.v1+json"].data.length === 7,
    );
    await chart.stop();
    const mimes = new Set(host.updates.map((bundle) => Object.keys(bundle).sort().join()));
    assert.deepEqual([...mimes], ["application/vnd.plotly.v1+json,text/html,text/plain"]);
    const wrong = phone.plot({ y: "gForce" });
    show(wrong);
    await until("it has failed", () => wrong.status.state === "failed");
    assert.match(String(host.updates.at(-1)!["text/plain"]), /no column "gForce"[\s\S]*gForceX/);
  } finally {
    host.end();
  }
});

test("headless, a read that asks for more rows than come fails once the topic is quiet, and one whose rows come does not", async () => {
  const name = await create("quiet", 1);
  await write(name, readings(10));
  const { end } = notebook(true, 150);
  try {
    await assert.rejects(topic(name).collect({ until: 11 }), (error: any) => {
      assert.equal(error.code, "QUIET");
      assert.match(error.message, /^10 of 11 rows have come of 10 records, and for 1\.8 s no other record/);
      assert.match(error.message, /MILLRACE_LIVE_FOR \(now 0\.15s/);
      return true;
    });
    assert.equal((await topic(name).collect({ until: 10 })).height, 10);
    const coming = topic(name).collect({ until: 13 });
    for (let n = 10; n < 13; n++) {
      await new Promise((resolve) => setTimeout(resolve, 700)); // together longer than a topic may be quiet
      await write(name, readings(n + 1).slice(n));
    }
    assert.equal((await coming).height, 13);
  } finally {
    end();
  }
});

test("a long collect says how far it is and how fast, and is cancelled", async () => {
  const name = await create("progress", 1);
  await write(name, readings(10));
  const { end, updates, interrupt } = notebook();
  try {
    const collecting = topic(name).collect({ until: 1000 });
    const failed = assert.rejects(collecting, { message: "the cell was interrupted" });
    const said = () => String(updates.at(-1)?.["text/plain"] ?? "");
    await until("it says so", () => /^reading: 10 of 10 offsets, 10 records in [\d.]+ s, \d+ records\/s/.test(said()));
    interrupt.abort(new Error("the cell was interrupted"));
    await failed;
    const own = new AbortController();
    const another = topic(name).collect({ until: 1000, signal: own.signal });
    own.abort(new Error("no longer wanted"));
    await assert.rejects(another);
  } finally {
    end();
  }
});

test("rows are replayed at a multiple of the speed at which they happened, and then as they come", async () => {
  const name = await create("replayed", 1);
  await write(name, readings(300)); // 10 ms apart: 3 s
  const live = topic(name, { key: "device", time: "timestamp" }).live({ from: "earliest" });
  try {
    const shown = () => live.df.height;
    live.replay(1);
    await until("some rows are out", () => shown() > 0);
    assert.ok(shown() < 300, `${shown()} rows at once`);
    live.replay(100);
    await until("three seconds in a moment", () => shown() === 300);
    live.replay(0.1);
    await live.seek("earliest");
    await until("the first", () => shown() > 0 && shown() < 300);
    live.replay();
    await until("all the rest", () => shown() === 300);
  } finally {
    await live.stop();
  }
});
