import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import test, { before } from "node:test";
import { createPartitionsV3 } from "@platformatic/kafka";
import type { Cluster } from "../../../lib/log/index.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { expectedRows } from "./expected.ts";
import { connect, jobUnderTest, phones, produce, readAll } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

test("a changed plan over held state is refused, also where the local file is gone", { timeout: 120_000 }, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(300, 5, seeded(1)));
  await job.toEnd();
  for (const where of ["with the file", "without the file"]) {
    const { code, stderr } = await (await job.start(["--until", "end"], { TEST_PLANS: "delta,windows" })).ended;
    assert.equal(code, 2, `${where}: ${stderr}`);
    assert.match(stderr, /written by another version of the plan[\s\S]*what to do/, where);
    assert.doesNotMatch(stderr, /partition opened/, where);
    await rm(job.stateDir, { recursive: true });
  }
  assert.equal((await job.toEnd()).rowsIn, 0, "the plan that wrote the state goes on");
});

test("a plan that keeps no state may change", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { plans: "stateless" });
  await produce(cluster, job.input, phones(300, 5, seeded(2)));
  assert.equal((await job.toEnd()).rowsIn, 300);
  assert.equal((await job.toEnd({ TEST_PLANS: "delta" })).rowsIn, 0);
});

test("a changed partition count of the source stops a job with state, running or not; one without goes on", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 2, plans: "delta" });
  const stateless = await jobUnderTest(cluster, { plans: "stateless", input: job.input });
  await produce(cluster, job.input, phones(300, 5, seeded(3)));
  await stateless.toEnd();
  const [running, reading] = [await job.start(), await stateless.start()];
  for (const run of [running, reading]) await until("it works", () => /partition opened/.test(run.stderr()));
  await addPartitions(job.input, 3);
  await produce(cluster, job.input, phones(300, 5, seeded(4)));
  for (const start of [() => running, () => job.start()]) {
    const { code, stderr } = await (await start()).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, /kept for 2 partitions, and the source now has 3[\s\S]*what to do[\s\S]*new name/);
  }
  await until("it has the new one", () => /partition opened partition=2/.test(reading.stderr()));
  reading.child.kill("SIGTERM");
  assert.equal((await reading.ended).code, 0);
  await stateless.toEnd();
  const written = await readAll(cluster, `${stateless.output}-stateless`);
  assert.deepEqual(
    written.map(({ value }) => value.total).sort(),
    expectedRows(await readAll(cluster, job.input))
      .stateless.map(([, , value]) => value.total)
      .sort(),
  );
});

async function addPartitions(topic: string, count: number): Promise<void> {
  const broker = await cluster.anyBroker();
  const { results } = await broker.request(
    createPartitionsV3.api,
    [{ name: topic, count, assignments: null as never }],
    30_000,
    false,
  );
  assert.deepEqual(
    results.map(({ errorCode }) => errorCode),
    [0],
  );
  await until("the partitions are there", async () => {
    const metadata = (await cluster.metadata([topic])).get(topic);
    return metadata?.partitions.length === count && metadata.partitions.every(({ leader }) => leader >= 0);
  });
}
