import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { pl, topic } from "millrace";
import { driver } from "millrace/test";

const phone = topic("phone-data", { key: "device", time: "timestamp" });
const perSecond = phone
  .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" })
  .agg(pl.col("x").sum().alias("sum"), pl.len().alias("n"));
const alerts = phone.filter(pl.col("x").gt(2)).to("alerts", { key: "device", value: ["x"] });

test("feeds records, shows rows as a table, open windows and state", async () => {
  const run = driver([perSecond, alerts]);
  await run.feed(`
    device  timestamp  x
    a       0          1.5
    b       500        2.5
    a       999        3
  `);
  assert.equal(run.take(), "device  window_start  window_end  sum  n");
  await run.feed([{ device: "a", timestamp: 1000, x: 9 }]);
  assert.equal(
    run.take(),
    [
      "device  window_start          window_end            sum  n",
      "a       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  4.5  2",
      "b       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  2.5  1",
    ].join("\n"),
  );
  assert.equal(run.table(alerts, ["_key", "x"]), ["_key    x", "b     2.5", "a       3", "a       9"].join("\n"));
  assert.deepEqual((await run.openRows()).getColumn("sum").toArray(), [9]);
  assert.deepEqual(run.stores, ["watermark", "window_1s_by_device"]);
  assert.equal((await run.state("window_1s_by_device")).height, 1);
});

test("records of several partitions go where a producer would place them, bad ones are kept with their place", async () => {
  const run = driver(
    phone.map((row) => ({ half: row.x / 2 }), { schema: { half: "Float64" }, keep: ["device"] }),
    {
      partitions: 4,
      schemas: { "phone-data": { device: "Utf8", timestamp: "Int64", x: "Float64" } },
    },
  );
  const devices = ["a", "b", "c", "d", "e", "f"];
  await run.feed(devices.map((device, i) => ({ device, timestamp: i, x: device === "c" ? "fast" : i })));
  assert.deepEqual(run.rows().getColumn("half").toArray().sort(), [0, 0.5, 1.5, 2, 2.5]);
  assert.ok(new Set(run.rows().getColumn("_partition").toArray()).size > 1);
  assert.equal(run.bad.length, 1);
  assert.match(run.bad[0]!.reason, /x: "fast" is not a Float64|"fast"/);
});

test("the clock moves only when it is told to", async () => {
  const quiet = phone.process({
    by: "device",
    state: null,
    schema: { quiet: "Boolean" },
    onRow: (_, ctx) => ctx.wallTimer("30s"),
    onTimer: (_, ctx) => ctx.emit({ quiet: true }),
  });
  const run = driver(quiet, { now: new Date("2026-01-01") });
  await run.feed([{ device: "a", timestamp: 0, x: 1 }]);
  await run.advance(0);
  await run.advance("29s");
  assert.equal(run.rows().height, 0);
  await run.advance("1s");
  assert.equal(run.table(), ["device  quiet", "a       true"].join("\n"));
  assert.equal(run.now, Date.parse("2026-01-01T00:00:30Z"));
});

test("refusals name what the program reads and keeps", async () => {
  const run = driver(perSecond);
  await assert.rejects(run.feed("phones", []), (error: any) => error.code === "UNKNOWN_TOPIC");
  await assert.rejects(run.state("window"), (error: any) => error.code === "UNKNOWN_STATE");
  assert.throws(
    () => driver([]),
    (error: any) => error.code === "NOTHING_TO_TEST",
  );
  assert.throws(
    () => run.rows(alerts),
    (error: any) => error.code === "NOT_UNDER_TEST",
  );
});

test("the example of docs/testing.md runs", async () => {
  const page = await readFile(new URL("../../docs/testing.md", import.meta.url), "utf8");
  const code = /```ts\n(.*?)```/s.exec(page)![1]!;
  const body = code.replace(/^import .*$/gm, "");
  const AsyncFunction = (async () => {}).constructor as any;
  await new AsyncFunction("test", "assert", "pl", "topic", "driver", body)(
    (_: string, run: () => Promise<void>) => run(),
    assert,
    pl,
    topic,
    driver,
  );
});
