import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after } from "node:test";
import { DuckDBInstance } from "@duckdb/node-api";
import { sql } from "../../../lib/index.ts";
import { JobServer } from "../../../lib/run/job/http-server.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { schemaOf } from "../../../lib/schema.ts";
import { queryState } from "../../../lib/state/duckdb/state-query.ts";
import { sharedBroker } from "../../support/broker.ts";
import { seeded } from "../../support/seeded.ts";
import { connect, jobUnderTest, phones, produce } from "../job/support.ts";

const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-sql-"));
after(() => rm(folder, { recursive: true }));
const instance = await DuckDBInstance.create(path.join(folder, "state.duckdb"));
const connection = await instance.connect();
await connection.run("CREATE TABLE counts (device VARCHAR, n BIGINT, seen TIMESTAMP)");
await connection.run(
  "INSERT INTO counts VALUES ('a', 1, '2026-01-01 00:00:01.5'), ('b''; --', 9007199254740993, NULL)",
);
// a running job's owner answers from the file that it has open
const server = await JobServer.start({
  unready: () => undefined,
  metrics: async () => "",
  query: (statement, limits, values) => queryState(connection, statement, limits, values),
});
const owned = sql.of(server.url);
after(async () => {
  await server.close();
  connection.closeSync();
  instance.closeSync();
});

test("values are parameters, whatever they hold", async () => {
  const rows = async (frame: ReturnType<typeof owned>) => (await frame).rows();
  assert.deepEqual(await rows(owned`SELECT device FROM counts WHERE device = ${"b'; --"}`), [["b'; --"]]);
  assert.deepEqual(await rows(owned`SELECT device FROM counts WHERE n = ${1}`), [["a"]]);
  assert.deepEqual(await rows(owned`SELECT device FROM counts WHERE n = ${9007199254740993n}`), [["b'; --"]]);
  assert.deepEqual(await rows(owned`SELECT device FROM counts WHERE seen = ${new Date("2026-01-01T00:00:01.500Z")}`), [
    ["a"],
  ]);
  assert.deepEqual(await rows(owned`SELECT n FROM counts WHERE device IN ${["a", "c"]} AND n < ${1.5}`), [[1]]);
  assert.deepEqual(await rows(owned`SELECT n FROM counts WHERE device IN ${[]}`), []);
  assert.deepEqual(await rows(owned`SELECT count(*) AS n FROM counts WHERE device NOT IN ${[]}`), [[2]]);
  assert.deepEqual(await rows(owned`SELECT ${true} AS t, ${null} AS nothing`), [[true, null]]);
  await assert.rejects(owned`SELECT ${{} as string}`, { code: "BAD_SQL" });
});

test("the answer is a frame with the dtypes of its columns", async () => {
  const frame = await owned`SELECT *, n * 1.5 AS d, [1, 2] AS list, DATE '2026-02-03' AS day, sum(1) OVER () AS s,
    'nan'::DOUBLE AS f, n::HUGEINT * 9007199254740993 AS h, n > 1 AS more FROM counts ORDER BY device`;
  assert.deepEqual(schemaOf(frame), {
    device: "Utf8",
    n: "Int64",
    seen: "Datetime(us)",
    d: "Float64",
    list: "Utf8",
    day: "Date",
    s: "Int64",
    f: "Float64",
    h: "Utf8",
    more: "Boolean",
  });
  assert.deepEqual(frame.getColumn("seen").toArray(), [new Date("2026-01-01T00:00:01.500Z"), null]);
  assert.deepEqual(frame.getColumn("list").toArray(), ["[1,2]", "[1,2]"]);
  assert.deepEqual(frame.getColumn("h").toArray(), ["9007199254740993", "81129638414606699710187514626049"]);
  assert.equal(String(frame.getColumn("n").cast(frame.getColumn("device").dtype).toArray()[1]), "9007199254740993");
  const none = await owned`SELECT * FROM counts WHERE false`;
  assert.deepEqual(schemaOf(none), { device: "Utf8", n: "Int64", seen: "Datetime(us)" });
});

test("it reads, within its limits", async () => {
  await assert.rejects(owned`DROP TABLE counts`, { code: "NOT_READ_ONLY" });
  await assert.rejects(sql({ job: server.url, rows: 10 })`SELECT * FROM range(11)`, { code: "TOO_MANY_ROWS" });
  assert.equal((await sql({ job: server.url, rows: 20_000 })`SELECT * FROM range(20000)`).height, 20_000);
  await assert.rejects(
    sql({ job: server.url, timeout: 100 })`SELECT sum(a.range * b.range) FROM range(3000000) a, range(1000000) b`,
    { code: "STATE_QUERY_TOO_LONG" },
  );
  await assert.rejects(sql`SELECT 1`, { code: "NO_STATE" });
  await assert.rejects(sql.of(path.join(folder, "nothing"))`SELECT 1`, { code: "NO_STATE" });
  assert.deepEqual((await readState(server.url, "SELECT 1 AS n")).rows, [[1]], "a statement as plain text goes on");
});

test("of a job: by its folder, after it has ended", { timeout: 60_000 }, async () => {
  await sharedBroker();
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "delta", partitions: 1 });
  await produce(cluster, job.input, phones(100, 4, seeded(1)));
  await job.toEnd();
  const frame = await sql.of(job.stateDir)`SELECT device, total FROM delta_by_device WHERE device <> ${"phone-0"}`;
  assert.deepEqual([...frame.getColumn("device").toArray()].sort(), ["phone-1", "phone-2", "phone-3"]);
});
