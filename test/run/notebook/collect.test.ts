import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { pl, topic } from "../../../lib/index.ts";
import { readings, testTopics } from "./topics.ts";

const { create, write, readAll, cluster } = await testTopics();
const rowsOf = (frame: polars.DataFrame) => frame.toRecords();

test("collect gives what static Polars computes over the same records", async () => {
  const name = await create("collect");
  const records = readings(2000);
  await write(name, records);
  const moving = topic(name, { key: "device", time: "timestamp" })
    .withColumns(pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).alias("total"))
    .withColumns(pl.col("total").diff(1, "ignore").over("device").alias("delta"))
    .select("device", "timestamp", "total", "delta");
  const collected = await moving.collect();

  const plain = records.map(({ key, value }) => ({ device: key!, ...JSON.parse(value!) }));
  const expected = polars
    .readRecords(plain)
    .withColumns(polars.col("gForceX").abs().plus(polars.col("gForceY").abs()).alias("total"))
    .withColumns(polars.col("total").diff(1, "ignore").over("device").alias("delta"))
    .select(
      polars.col("device"),
      polars.col("timestamp").cast(polars.Int64).cast(polars.Datetime("ms")),
      polars.col("total"),
      polars.col("delta"),
    );
  assert.equal(collected.height, 2000);
  for (const device of ["phone-0", "phone-6"]) {
    const of = (frame: polars.DataFrame) => rowsOf(frame.filter(polars.col("device").eq(polars.lit(device))));
    assert.deepEqual(of(collected), of(expected));
  }
  // merged over partitions by event time, whatever came first from the broker
  const times = collected.getColumn("timestamp").cast(polars.Int64).toArray().map(Number);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
  assert.deepEqual(rowsOf(await moving.collect()), rowsOf(collected));
});

test("windows: closed ones, and with final the open ones too", async () => {
  const name = await create("windows", 1);
  await write(name, readings(250));
  const perSecond = topic(name, { key: "device", time: "timestamp" })
    .groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" })
    .agg(pl.len().alias("n"));
  const sum = (frame: polars.DataFrame) =>
    frame
      .getColumn("n")
      .toArray()
      .reduce((a: number, b) => a + Number(b), 0);
  assert.equal(sum(await perSecond.collect()), 200);
  assert.equal(sum(await perSecond.collect({ final: true })), 250);
});

test("from and until bound what is read", async () => {
  const name = await create("bounds", 1);
  await write(name, readings(100));
  const frame = topic(name, { key: "device" }).select("_offset");
  const offsets = async (options: Parameters<typeof frame.collect>[0]) =>
    (await frame.collect(options)).getColumn("_offset").toArray().map(Number);
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  assert.deepEqual(await offsets({}), range(0, 100));
  assert.deepEqual(await offsets({ from: { 0: 90 } }), range(90, 100));
  assert.deepEqual(await offsets({ from: { 0: 10 }, until: { 0: 13 } }), [10, 11, 12]);
  assert.deepEqual(await offsets({ until: 5 }), range(0, 5));
  assert.deepEqual(await offsets({ from: "2026-01-01T00:00:00.950Z" }), range(95, 100));
  assert.deepEqual(await offsets({ until: "2026-01-01T00:00:00.050Z" }), range(0, 5));
  assert.deepEqual(await offsets({ from: "latest" }), []);
  assert.deepEqual(await offsets({ until: "400ms" }), range(0, 100));
  await assert.rejects(offsets({ from: "yesterday" }), { code: "BAD_POSITION" });
});

test("bad records are left out, counted and reported, and nothing else is lost", async () => {
  const name = await create("bad", 2);
  const records = readings(500).map((record, i) =>
    i % 100 === 50 ? { ...record, value: "{oops" } : i === 7 ? { ...record, value: null } : record,
  );
  await write(name, records);
  const lines: string[] = [];
  const stderr = process.stderr.write;
  process.stderr.write = ((text: string) => lines.push(text) > 0) as never;
  let collected: polars.DataFrame;
  try {
    collected = await topic(name, { key: "device", time: "timestamp" }).collect();
  } finally {
    process.stderr.write = stderr;
  }
  assert.equal(collected.height, 494);
  assert.match(lines.join(""), /6 bad records left out/);
  assert.match(
    lines.join(""),
    new RegExp(`${name}, partition \\d, offset \\d+: (not JSON|null value \\(tombstone\\))`),
  );
});

test("the schema: inferred from a sample, kept for the session, and needed for an empty topic", async () => {
  const name = await create("schema");
  const phone = topic(name, { key: "device", time: "timestamp" });
  await assert.rejects(async () => await phone.schema, { code: "EMPTY_TOPIC" });
  const given = topic(name, { schema: { x: "Float64" } });
  assert.deepEqual(await given.schema, { x: "Float64" });
  assert.equal((await given.collect()).height, 0);
  await write(name, readings(20));
  assert.deepEqual(await phone.schema, {
    device: "Utf8",
    gForceX: "Float64",
    gForceY: "Int64",
    gForceZ: "Int64",
    timestamp: "Datetime(ms)",
  });
  const seconds = await create("seconds", 1);
  await write(seconds, [{ key: "a", value: '{"at":1767225600}', timestamp: 0 }]);
  const [row] = rowsOf(await topic(seconds, { time: "at" }).collect());
  assert.deepEqual(row, { at: new Date("2026-01-01T00:00:00Z") });
  await assert.rejects(topic("there-is-no-such-topic").collect(), { code: "TOPIC_NOT_FOUND" });
});

test("batches gives every row once and ends where it is told", async () => {
  const name = await create("batches");
  await write(name, readings(300));
  let rows = 0;
  for await (const batch of topic(name, { key: "device" }).batches({ until: "latest" })) rows += batch.height;
  assert.equal(rows, 300);
  for await (const batch of topic(name, { key: "device" }).batches()) {
    rows += batch.height;
    if (rows >= 600) break;
  }
  assert.equal(rows, 600);
});

test("run writes a sink once, to a topic that exists; again needs to be said", async () => {
  const [name, output] = [await create("run"), await create("run-out", 2)];
  await write(name, readings(200));
  const phone = topic(name, { key: "device", time: "timestamp" });
  const sink = phone.filter(pl.col("gForceX").gt(5)).to(output, { key: "device" });
  const report = await sink.run();
  const collected = await phone.filter(pl.col("gForceX").gt(5)).collect();
  assert.equal(report.rowsIn, 200);
  assert.equal(report.rowsOut, collected.height);
  const written = await readAll(output);
  assert.equal(written.length, collected.height);
  assert.deepEqual(
    written.map(({ key, value }) => `${key} ${JSON.parse(value!).device} ${JSON.parse(value!).timestamp}`).sort(),
    collected
      .toRecords()
      .map((row: any) => `${row.device} ${row.device} ${row.timestamp.toISOString()}`)
      .sort(),
  );
  await assert.rejects(sink.run(), { code: "SINK_ALREADY_RUN" });
  assert.equal((await readAll(output)).length, collected.height);
  await sink.run({ again: true });
  assert.equal((await readAll(output)).length, 2 * collected.height);
  await assert.rejects(phone.to(`${output}-missing`).run(), { code: "NO_OUTPUT_TOPIC" });
  assert.ok(!(await cluster.topics()).has(`${output}-missing`));
});

test("run goes over the range that was shown", async () => {
  const [name, output] = [await create("shown", 1), await create("shown-out", 1)];
  await write(name, readings(50));
  const phone = topic(name, { key: "device" });
  await phone.collect({ from: { 0: 10 }, until: { 0: 20 } });
  await write(name, readings(50, 50));
  assert.equal((await phone.to(output).run()).rowsOut, 10);
});
