import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import path from "node:path";
import test, { before } from "node:test";
import { type Cluster, Producer } from "../../../lib/log/index.ts";
import { byteColumn } from "../../../lib/run/job/samples.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll, temporaryFolder } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

async function assertDelta(job: JobUnderTest): Promise<void> {
  const expected = expectedRows(await readAll(cluster, job.input)).delta;
  assertSameRows(rowsOf(await readAll(cluster, `${job.output}-delta`)), expected, "delta");
}

/** A transaction with one record per partition that is still open. */
async function openTransaction(topic: string, partitions: readonly number[], text: string): Promise<Producer> {
  const producer = await Producer.create(cluster, { transactionalId: `other-${topic}` });
  producer.begin();
  for (const partition of partitions) {
    const bytes = [new TextEncoder().encode(text)];
    await producer.send(topic, partition, {
      count: 1,
      keys: byteColumn(bytes, false),
      values: byteColumn(bytes, false),
      timestamps: new Float64Array(1).fill(1_700_000_000_000),
    });
  }
  await producer.flush();
  return producer;
}

test("several workers end together when the group is through; more workers than partitions are no trouble", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 2, plans: "delta" });
  await produce(cluster, job.input, phones(2000, 7, seeded(1)));
  const folder = await temporaryFolder();
  const runs = [];
  for (const name of ["a", "b", "c"])
    runs.push(await job.start(["--until", "end", "--json"], { MILLRACE_STATE_DIR: path.join(folder, name) }));
  let rowsIn = 0;
  for (const { ended } of runs) {
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 0, stderr);
    rowsIn += JSON.parse(stdout).rowsIn;
  }
  assert.equal(rowsIn, 2000);
  await assertDelta(job);
});

test("empty partitions, and partitions that end in markers, aborted or still open transactions, have an end", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 6, plans: "delta" });
  await produce(cluster, job.input, phones(500, 2, seeded(2))); // at most two partitions of six
  const aborted = await openTransaction(job.input, [0, 1, 2], "never to be seen");
  await aborted.abort();
  await aborted.close();
  const open = await openTransaction(job.input, [1, 2, 3], '{"device":"late"}');
  const { rowsIn } = await job.toEnd();
  assert.equal(rowsIn, 500, "what is not committed is not there");
  await open.commit();
  await open.close();
  assert.equal((await job.toEnd()).rowsIn, 3);
  assert.equal((await job.toEnd()).rowsIn, 0);
});

test("SIGTERM in the middle of a restore: out with 0, nothing lost; meanwhile health, metrics and log tell how far it is, how fast, and how long it will be", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "delta" });
  await produce(cluster, job.input, phones(500, 5, seeded(3)));
  await job.toEnd();
  await rm(job.stateDir, { recursive: true });
  // a restore waits for transactions that are open in the changelog: this one lasts as long as the test likes
  const changelog = `${job.name}-delta_by_device-changelog`;
  const holding = await openTransaction(changelog, [0], "held");
  const run = await job.start();
  const url = await until("it serves", () => /url=(\S+)/.exec(run.stderr())?.[1]);
  const ready = async () => {
    const response = await fetch(`${url}/health/ready`);
    const body = (await response.json()) as { reason?: string; restoring?: readonly Record<string, number>[] };
    return { httpStatus: response.status, ...body };
  };
  const restoring = await until("it restores", async () => {
    const answer = await ready();
    return answer.reason === "restoring" && answer.restoring![0]!.percent! > 0 ? answer : undefined;
  });
  assert.equal(restoring.httpStatus, 503);
  // all but what the open transaction holds
  const [{ partition, percent, recordsPerSecond, secondsLeft }] = restoring.restoring as [Record<string, number>];
  assert.equal(partition, 0);
  assert.ok(percent! > 0 && percent! < 100, `${percent} %`);
  assert.ok(recordsPerSecond! > 0 && secondsLeft! > 0, JSON.stringify(restoring));
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const metric = (name: string) =>
    Number(new RegExp(`^millrace_restore_${name}\\{partition="0"\\} (\\S+)$`, "m").exec(metrics)?.[1]);
  assert.ok(metric("share") > 0 && metric("share") < 1, metrics);
  assert.ok(metric("records_per_second") > 0 && metric("seconds_left") > 0, metrics);
  const line = /INFO +restoring .*partition=0 records=\d+ percent=\d+ recordsPerSecond=\d+ secondsLeft=\d+/i;
  await until("the log says so", () => line.test(run.stderr())).catch(() => assert.match(run.stderr(), line));
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  await holding.abort();
  await holding.close();
  await produce(cluster, job.input, phones(500, 5, seeded(4), 1_700_000_100_000, 500));
  assert.equal((await job.toEnd()).rowsIn, 500);
  await assertDelta(job);
});
