import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import polars from "nodejs-polars";
import { pl, sql, topic } from "../../../lib/index.ts";
import { readings, testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-files-"));
after(() => rm(folder, { recursive: true }));

const numbers = (frame: polars.DataFrame, column: string) => frame.getColumn(column).toArray().map(Number);

test("toTable: rows are appended, updates replace the row of their key, a run writes the table anew", async () => {
  const name = await create("to-table");
  await write(name, readings(700));
  const phone = topic(name, { key: "device", time: "timestamp" });
  const moving = phone.filter(pl.col("gForceX").gt(5)).select("device", "timestamp", "gForceX");
  const expected = await moving.collect();
  const report = await moving.toTable("moving").run();
  assert.deepEqual([report.rowsIn, report.rowsOut], [700, expected.height]);
  const table = await sql`SELECT device, timestamp, gForceX FROM moving ORDER BY timestamp`;
  assert.deepEqual(table.toRecords(), expected.sort("timestamp").toRecords());

  const counts = phone.groupBy("device").agg(pl.len().alias("n"));
  await counts.toTable("counts").run();
  assert.deepEqual(numbers(await sql`SELECT n FROM counts`, "n"), new Array(7).fill(100));
  await write(name, readings(70, 700));
  await counts.toTable("counts").run();
  assert.deepEqual(numbers(await sql`SELECT n FROM counts`, "n"), new Array(7).fill(110));
  await phone.toTable("newest", { key: "device" }).run();
  assert.equal((await sql`SELECT * FROM newest`).height, 7);

  const none = await moving.filter(pl.col("gForceX").gt(100)).toTable("moving").run();
  assert.equal(none.rowsOut, 0);
  assert.deepEqual((await sql`SELECT * FROM moving`).columns, ["device", "timestamp", "gForceX"]);
  await assert.rejects(phone.toTable("newest", { key: "nothing" }).run(), { code: "UNKNOWN_COLUMN" });
  await assert.rejects(sql`DELETE FROM counts`, { code: "NOT_READ_ONLY" });
});

test("toParquet: files named by offsets; a range that holds an earlier one replaces it, one that only meets it is refused", async () => {
  const name = await create("to-parquet", 2);
  await write(name, readings(300));
  const moving = topic(name, { key: "device", time: "timestamp" }).select("device", "gForceX", "timestamp");
  const files = async () => (await readdir(folder)).filter((file) => file.startsWith(name)).sort();
  const rows = async () => polars.concat((await files()).map((file) => polars.readParquet(path.join(folder, file))));
  await moving.toParquet(folder).run();
  const first = await files();
  assert.match(first[0]!, new RegExp(`^${name}-0-0-\\d+\\.parquet$`));
  assert.match(first[1]!, new RegExp(`^${name}-1-0-\\d+\\.parquet$`));
  await moving.toParquet(folder).run();
  assert.deepEqual(await files(), first, "the same range is the same files");
  await write(name, readings(100, 300));
  await moving.toParquet(folder).run();
  assert.deepEqual(
    (await rows()).sort("timestamp").toRecords(),
    (await moving.collect()).sort("timestamp").toRecords(),
  );
  await assert.rejects(moving.toParquet(folder).run({ from: { 0: 10, 1: 10 }, until: "end" }), {
    code: "RANGES_OVERLAP",
  });
  assert.equal((await rows()).height, 400);
});

test("what cannot be written as it should be is refused when it is declared", async () => {
  const phone = topic("nowhere", { key: "device", schema: { device: "Utf8", x: "Float64" } });
  const counts = phone.groupBy("device").agg(pl.len().alias("n"));
  assert.throws(() => counts.toParquet(folder), { code: "NO_EXACT_STREAMING_MEANING" });
  assert.throws(() => phone.toParquet(""), { code: "NO_FOLDER" });
  assert.throws(() => phone.toTable("a b"), { code: "NO_TABLE" });
  assert.throws(() => phone.toTable("first", { key: [] }), { code: "NO_KEY" });
});
