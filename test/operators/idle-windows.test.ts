import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";
import type { Schema } from "../../lib/schema.ts";
import { driver } from "../../lib/test/driver.ts";
import { asSource, memoryStores } from "./run-program.ts";

const schema: Schema = { device: "Utf8", timestamp: "Int64", x: "Float64" };
const phone = topic("phone", { key: "device", time: "timestamp", schema });
const perSecond = (idle?: string) =>
  phone
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", ...(idle && { idle }) })
    .agg(pl.len().alias("n"));
const rows = (...times: number[]) => times.map((timestamp) => ({ device: "a", timestamp, x: 1 }));

test("a window of a quiet partition closes by the clock, and stays closed", async () => {
  const windows = perSecond("5s");
  const late = windows.late();
  const run = driver([windows, late]);
  await run.feed(rows(100, 900));
  await run.advance("4s");
  assert.equal(run.take(), table(), "it is not idle yet");
  await run.feed(rows(950));
  await run.advance("4s");
  assert.equal(run.take(), table(), "a record made it busy again");
  await run.advance("1s");
  assert.equal(run.take(), table("a       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  3"));
  await run.feed(rows(990, 1200));
  await run.advance("9s");
  assert.equal(run.take(), table("a       1970-01-01T00:00:01Z  1970-01-01T00:00:02Z  1"));
  assert.equal(run.rows(late).getColumn("timestamp").cast(polars.Int64).toArray().join(), "990");
  await run.advance("60s");
  assert.equal(run.take(), table(), "nothing is open any more");
});

test("each verb has its own patience, and one without waits for event time alone", async () => {
  const [quick, slow, never] = [perSecond("1s"), perSecond("1m"), perSecond()];
  const run = driver([quick, slow, never]);
  await run.feed(rows(100));
  await run.advance("10s");
  assert.deepEqual(
    [quick, slow, never].map((one) => run.rows(one).height),
    [1, 0, 0],
  );
  await run.feed(rows(200));
  await run.advance("2m");
  assert.deepEqual(
    [quick, slow, never].map((one) => run.rows(one).height),
    [1, 1, 0],
  );
  await run.feed(rows(300, 2000));
  const counts = [quick, slow, never].map((one) => run.rows(one).getColumn("n").toArray().map(Number));
  assert.deepEqual(counts, [[1], [2], [3]]);
});

test("sessions, rolling windows, windows with grace and windows over windows close by the clock", async () => {
  const sessions = phone.groupBySession({ by: "device", gap: "2s", idle: "5s" }).agg(pl.len().alias("n"));
  const rolling = phone
    .groupByRolling({ indexColumn: "timestamp", by: "device", period: "2s", grace: "3s", idle: "5s" })
    .agg(pl.len().alias("n"));
  const hopping = phone
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", period: "2s", by: "device", grace: "1m", idle: "5s" })
    .agg(pl.len().alias("n"));
  const over = perSecond("5s")
    .groupByDynamic({ indexColumn: "window_start", every: "10s", by: "device", idle: "5s" })
    .agg(pl.col("n").sum().alias("n"));
  const run = driver([sessions, rolling, hopping, over]);
  await run.feed(rows(100, 1500));
  await run.advance("5s");
  const counts = [sessions, rolling, hopping, over].map((one) => run.rows(one).getColumn("n").toArray().map(Number));
  assert.deepEqual(counts, [[2], [1, 2], [1, 2, 1], [2]]);
  // a session that has closed is not gone on with: as where event time has come to its end, 3500
  await run.feed(rows(1600, 3600));
  await run.advance("5s");
  assert.deepEqual(
    [sessions, over].map((one) => run.rows(one).getColumn("n").toArray().map(Number)),
    [[2, 1, 1], [2]],
  );
});

test("only quiet partitions close, and rows placed anew do not wait for a quiet one", async () => {
  const windows = perSecond("5s");
  const run = driver(windows, { partitions: 2 });
  const at = (partition: number, timestamp: number) => [
    { device: `p${partition}`, timestamp, x: partition, _partition: partition },
  ];
  await run.feed(at(0, 100));
  await run.advance("3s");
  await run.feed(at(1, 100));
  await run.advance("3s");
  assert.deepEqual(run.rows().getColumn("device").toArray(), ["p0"]);
  const byValue = phone
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "x", idle: "5s" })
    .agg(pl.len().alias("n"));
  const placed = driver(byValue, { partitions: 2 });
  await placed.feed([...at(0, 100), ...at(1, 200)]);
  await placed.advance("4s");
  await placed.feed(at(0, 1300));
  assert.equal(placed.rows().height, 0, "partition 1 may still bring rows of the first second");
  await placed.advance("2s");
  assert.equal(placed.rows().height, 2, "it is idle: what partition 0 has reached counts");
  await placed.advance("10s");
  assert.equal(placed.rows().height, 3);
});

test("what was closed by the clock is closed after a restart", async () => {
  const frame = perSecond("5s");
  const [node] = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map([[node!.id, { ...schema, timestamp: "Datetime(ms)" }]]));
  const stores = memoryStores();
  let now = 0;
  const open = () => program.open(stores, () => now);
  const source = program.sources[0]!.id;
  const feed = (...times: number[]) =>
    new Map([
      [
        source,
        asSource(polars.DataFrame(rows(...times)), { time: "timestamp" }).withColumns(
          pl.col("timestamp").cast(pl.Datetime("ms")),
        ),
      ],
    ]);
  await (await open()).process(feed(100));
  let task = await open();
  now = 5000;
  assert.equal((await task.advance(now)).rows[0]!.frame.height, 1);
  task = await open();
  const { rows: given } = await task.process(feed(200, 3000));
  assert.deepEqual(given, []);
  assert.deepEqual(task.counts(), { late: 1, withoutTime: 0 });
});

test("explain marks what depends on the clock; idle is a length of time", () => {
  assert.match(perSecond("5s").explain(), /idle: also after 5s of the wall clock/);
  assert.doesNotMatch(perSecond().explain(), /wall clock/);
  assert.throws(() => perSecond("0s"), { code: "BAD_DURATION" });
});

function table(line?: string): string {
  if (line === undefined) return "device  window_start  window_end  n";
  return `device  window_start          window_end            n\n${line}`;
}
