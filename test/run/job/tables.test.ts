import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { partitionOf } from "../../../lib/log/index.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { connect, jobUnderTest, type Phone, phones, produce, temporaryFolder, untilOpened } from "./support.ts";

test("toTable in a job: exact over kill -9 and a lost state folder, read by SQL; keys other than the record's are placed anew", {
  timeout: 180_000,
}, async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { script: "tables-job.ts" });
  const start = 1_700_000_000_000;
  const list = phones(3000, 7, seeded(seed), start);
  await produce(cluster, job.input, list.slice(0, 1000));
  const killed = await job.start([], { MILLRACE_COMMIT_INTERVAL: "50ms" });
  await untilOpened(killed);
  await produce(cluster, job.input, list.slice(1000, 2000));
  killed.child.kill("SIGKILL");
  await killed.ended;
  await produce(cluster, job.input, list.slice(2000));
  await job.toEnd();
  // rows placed anew wait for what may still be earlier: later readings, of no number, let all of the above go
  const later = phones(70, 7, seeded(seed), start + 60_000).map((phone) => ({
    ...phone,
    n: null as unknown as number,
  }));
  await produce(cluster, job.input, later);
  await job.toEnd();

  const partitions = (await cluster.metadata([job.input])).get(job.input)!.partitions.length;
  const check = async (stateDir: string) => {
    const rows = async (sql: string) => (await readState(stateDir, sql)).rows.map((row) => row.map(plain));
    const thirds = list.filter(({ n }) => n % 3 === 0).map(({ device, n }) => [device, n]);
    assert.deepEqual(await rows("SELECT device, n FROM thirds ORDER BY n"), thirds);
    const rising =
      "SELECT bool_and(n > before) FROM (SELECT n, lag(n) OVER (PARTITION BY device ORDER BY _row) AS before FROM thirds)";
    assert.deepEqual(await rows(rising), [[true]]);
    const buckets = await rows('SELECT "größe", n FROM newest WHERE n IS NOT NULL ORDER BY 1');
    assert.equal(buckets.length, 5);
    const order = inOrder(list, partitions);
    for (const [bucket, n] of buckets) assert.equal(n, order.findLast((phone) => phone.n % 5 === bucket)?.n);
    assert.deepEqual(
      await rows("SELECT device, most, readings FROM devices ORDER BY device"),
      Array.from({ length: 7 }, (_, i) => {
        const own = list.filter(({ device }) => device === `phone-${i}`).map(({ n }) => n);
        return [`phone-${i}`, Math.max(...own), own.length + 10];
      }),
    );
  };
  await check(job.stateDir);
  const restored = path.join(await temporaryFolder(), "state");
  await job.toEnd({ MILLRACE_STATE_DIR: restored });
  await check(restored);
});

const plain = (cell: unknown) => (typeof cell === "string" && /^\d+$/.test(cell) ? Number(cell) : cell);

/** Rows as they meet: by the largest time so far in their partition, ties by partition, those of a partition in its order (decision 024). */
function inOrder(list: readonly Phone[], partitions: number): Phone[] {
  const soFar = new Map<number, number>();
  const placed = list.map((phone) => {
    const partition = partitionOf(partitions, Buffer.from(phone.device));
    const time = Math.max(phone.timestamp, soFar.get(partition) ?? 0);
    soFar.set(partition, time);
    return { phone, partition, time };
  });
  return placed.sort((a, b) => a.time - b.time || a.partition - b.partition).map(({ phone }) => phone);
}
