import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import test, { before } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll, untilOpened } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);
const START = 1_700_000_000_000;
const PLANS = ["stateless", "delta", "windows"] as const;

async function assertOutputs(job: JobUnderTest): Promise<void> {
  const expected = expectedRows(await readAll(cluster, job.input));
  for (const plan of PLANS)
    assertSameRows(rowsOf(await readAll(cluster, `${job.output}-${plan}`)), expected[plan], plan);
}

const ownerOf = async (folder: string) =>
  JSON.parse(await readFile(path.join(folder, "owner.json"), "utf8")) as { pid: number; url: string };

test("--workers 2 --until end: the rows of one worker, one summary of both; the state is asked by worker; one worker goes on from there", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 4 });
  await produce(cluster, job.input, phones(2000, 20, random, START));
  const run = await job.start(["--until", "end", "--json", "--workers", "2"]);
  const { code, stdout, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 1, "one line of JSON");
  const summary = JSON.parse(lines[0]!);
  assert.equal(summary.rowsIn, 2000);
  assert.ok(summary.secondsTotal >= summary.secondsSinceFirst && summary.secondsSinceFirst > 0, stdout);
  await assertOutputs(job);

  const sql = "SELECT count(*) FROM delta_by_device";
  await assert.rejects(readState(job.stateDir, sql), { code: "SEVERAL_WORKERS" });
  const counts = await Promise.all(
    [0, 1].map(async (worker) => Number((await readState(job.stateDir, sql, undefined, { worker })).rows[0]![0])),
  );
  assert.equal(counts[0]! + counts[1]!, 20, `every device is one worker's: ${counts}`);
  assert.ok(
    counts.every((count) => count > 0),
    `both worked: ${counts}`,
  );

  await produce(cluster, job.input, phones(1000, 20, random, START + 100_000, 2000));
  assert.equal((await job.toEnd()).rowsIn, 1000);
  await assertOutputs(job);
  assert.ok(!existsSync(path.join(job.stateDir, "worker-1")), "no state that only looks as if it counted");
});

test("three workers answer as one: ready, metrics, state; one that is killed comes back; SIGTERM ends all with 0, and every row is written once", {
  timeout: 180_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 3 });
  await produce(cluster, job.input, phones(900, 9, random, START));
  const run = await job.start([], { MILLRACE_WORKERS: "3", MILLRACE_SESSION_TIMEOUT: "6s" });
  await untilOpened(run, 3);
  const { url } = await ownerOf(job.stateDir);
  await until("ready", async () => (await fetch(`${url}/health/ready`)).status === 200);
  const rowsIn = async () =>
    Number(/^millrace_rows_in_total (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]);
  await until("all rows counted", async () => (await rowsIn()) === 900);
  const { code } = (await (await fetch(`${url}/state?sql=SHOW%20TABLES`)).json()) as { code: string };
  assert.equal(code, "SEVERAL_WORKERS");
  const tables = await readState(url, "SHOW TABLES", undefined, { worker: 2 });
  assert.ok(tables.rows.length > 0, "another worker's state by way of the first");

  const before = (await ownerOf(path.join(job.stateDir, "worker-1"))).pid;
  process.kill(before, "SIGKILL");
  await produce(cluster, job.input, phones(900, 9, random, START + 100_000, 900));
  await until(
    "another process",
    async () => {
      const now = await ownerOf(path.join(job.stateDir, "worker-1")).catch(() => undefined);
      return now !== undefined && now.pid !== before;
    },
    30_000,
  );
  await until(
    "the outputs",
    async () => {
      const expected = expectedRows(await readAll(cluster, job.input));
      return (await readAll(cluster, `${job.output}-delta`)).length === expected.delta.length;
    },
    60_000,
  );
  run.child.kill("SIGTERM");
  const { code: exit, stderr } = await run.ended;
  assert.equal(exit, 0, stderr);
  await assertOutputs(job);
});

test("a worker that cannot go on ends the job with an error that names it", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { partitions: 2 });
  await produce(cluster, job.input, [
    ...phones(10, 10, random, START),
    ...["a", "b", "c", "d"].map((key) => ({ key, text: "nonsense" })),
  ]);
  const { code, stderr } = await (await job.start(["--workers=2", "--on-error", "stop"])).ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /nonsense|cannot be read/);
});

test("a number of workers that is none is refused", { timeout: 30_000 }, async () => {
  const job = await jobUnderTest(cluster, { partitions: 1 });
  const { code, stderr } = await (await job.start(["--workers", "two"])).ended;
  assert.equal(code, 2);
  assert.match(stderr, /--workers is "two"/);
});
