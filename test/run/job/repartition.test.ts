import assert from "node:assert/strict";
import path from "node:path";
import test, { before } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { seeded } from "../../support/seeded.ts";
import {
  connect,
  type JobUnderTest,
  jobUnderTest,
  phones,
  produce,
  readAll,
  temporaryFolder,
  type Written,
} from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

/** Records in the order in which partitions are merged: by the largest event time so far, then partition, then offset. */
function merged(records: readonly Written[]): Written[] {
  const largest = new Map<number, number>();
  const keyed = [...records]
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
    .map((record) => {
      const order = Math.max(largest.get(record.partition) ?? 0, record.value.timestamp);
      largest.set(record.partition, order);
      return { order, record };
    });
  return keyed
    .sort((a, b) => a.order - b.order || a.record.partition - b.record.partition || a.record.offset - b.record.offset)
    .map(({ record }) => record);
}

async function assertAnew(job: JobUnderTest): Promise<void> {
  const input = merged(await readAll(cluster, job.input));
  const before = new Map<number, number>();
  const expected = input.map(({ value: { n, x } }) => {
    const bucket = n % 5;
    const delta = before.has(bucket) ? x - before.get(bucket)! : null;
    before.set(bucket, x);
    return { n, bucket, delta };
  });
  const byBucket = (rows: readonly { n: number; bucket: number; delta: number | null }[]) =>
    Object.groupBy(rows, ({ bucket }) => String(bucket));
  const written = (await readAll(cluster, `${job.output}-anew`)).map(({ value: { n, bucket, delta } }) => ({
    n,
    bucket,
    delta,
  }));
  assert.equal(written.length, expected.length);
  assert.deepEqual(byBucket(written), byBucket(expected), "rows of a key, in their order");

  const last = Math.max(...input.map(({ value }) => value.timestamp));
  const windows = new Map<string, { sum: number; last: number; count: number }>();
  for (const { value } of input) {
    const start = Math.floor(value.timestamp / 1000) * 1000;
    if (start + 2000 > last) continue;
    const window = windows.get(`${value.n % 5} ${start}`) ?? { sum: 0, last: 0, count: 0 };
    windows.set(`${value.n % 5} ${start}`, { sum: window.sum + value.n, last: value.n, count: window.count + 1 });
  }
  const closed = (await readAll(cluster, `${job.output}-anew-windows`)).map(({ value }) => [
    `${value.bucket} ${Date.parse(value.window_start)}`,
    { sum: value.sum, last: value.last, count: value.count },
  ]);
  assert.equal(closed.length, windows.size, "each window once");
  assert.deepEqual(Object.fromEntries(closed), Object.fromEntries(windows));
}

test("rows placed anew come in the order of event time, and --until end waits for the last of them", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "anew,anew-windows" });
  await produce(cluster, job.input, phones(3000, 7, seeded(1)));
  const summary = await job.toEnd();
  assert.equal(summary.rowsIn, 3000);
  await assertAnew(job);
});

test("a second run goes on where the first ended", { timeout: 120_000 }, async () => {
  const job = await jobUnderTest(cluster, { plans: "anew", partitions: 2 });
  await produce(cluster, job.input, phones(500, 4, seeded(2)));
  await job.toEnd();
  const first = (await readAll(cluster, `${job.output}-anew`)).length;
  await produce(cluster, job.input, phones(500, 4, seeded(3), 1_700_000_010_000, 500));
  await job.toEnd();
  assert.deepEqual([first, (await readAll(cluster, `${job.output}-anew`)).length], [500, 1000]);
});

for (const guarantee of ["exactly-once", "at-least-once"])
  test(`two workers, killed again and again: ${guarantee}`, { timeout: 180_000 }, async () => {
    const job = await jobUnderTest(cluster, { plans: "anew,anew-windows", guarantee, partitions: 3 });
    const folder = await temporaryFolder();
    const random = seeded(4);
    const start = (name: string, args: string[] = []) =>
      job.start(args, { MILLRACE_STATE_DIR: path.join(folder, name), MILLRACE_SESSION_TIMEOUT: "6s" });
    const runs = new Map([
      ["a", await start("a")],
      ["b", await start("b")],
    ]);
    for (let i = 0; i < 4; i++) {
      await produce(cluster, job.input, phones(600, 7, random, 1_700_000_000_000 + i * 2000, i * 600));
      await new Promise((resolve) => setTimeout(resolve, 1000 + random() * 1500));
      const name = random() < 0.5 ? "a" : "b";
      runs.get(name)!.child.kill("SIGKILL");
      await runs.get(name)!.ended;
      runs.set(name, await start(name));
    }
    for (const { child, ended } of runs.values()) {
      child.kill("SIGTERM");
      await ended;
    }
    const ends = [await start("a", ["--until", "end"]), await start("b", ["--until", "end"])];
    for (const { ended } of ends) {
      const { code, stderr } = await ended;
      assert.equal(code, 0, stderr);
    }
    if (guarantee === "exactly-once") await assertAnew(job);
    else {
      const written = await readAll(cluster, `${job.output}-anew`);
      assert.equal(new Set(written.map(({ value }) => value.n)).size, 2400, "nothing is lost");
    }
  });
