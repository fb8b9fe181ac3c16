import assert from "node:assert/strict";
import { deleteRecordsV2 } from "@platformatic/kafka";
import type { Cluster } from "../../../lib/log/index.ts";
import { jobUnderTest, readAll } from "../../run/job/support.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";

/** Deletes the records of a topic up to an offset per partition, as retention does. */
async function deleteRecords(cluster: Cluster, topic: string, ends: ReadonlyMap<number, number>): Promise<void> {
  const partitions = [...ends].map(([partitionIndex, offset]) => ({ partitionIndex, offset: BigInt(offset) }));
  const broker = await cluster.anyBroker();
  await broker.request(deleteRecordsV2.api, [{ name: topic, partitions }], 15_000);
}

/**
 * While a job was stopped, retention has deleted records that it had not read: it stops and says which offsets there are, instead of leaving
 * them out in silence. What it had written stays.
 */
export async function expiredOffsetsDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 1 });
  const input = await DrillInput.open(cluster, job, random);
  await input.write(records, 2);
  await job.toEnd();
  const before = await readAll(cluster, `${job.output}-delta`);
  await input.write(records, 2);
  const ends = await cluster.listOffsets(job.input, "latest");
  const kept = new Map([...ends].map(([partition, end]) => [partition, end - 10]));
  await deleteRecords(cluster, job.input, kept);

  const { code, stderr } = await (await job.start()).ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /Offset \d+ is not in the log any more[^\n]*it holds \d+ to \d+[\s\S]*what to do/);
  log(`ended with: ${/Offset \d+ is not[^\n]*/.exec(stderr)?.[0]}`);
  assert.deepEqual(await readAll(cluster, `${job.output}-delta`), before, "what was written stays as it was");
}
