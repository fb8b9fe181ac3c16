import assert from "node:assert/strict";
import { test } from "node:test";
import { seeded } from "../../support/seeded.ts";
import { connect, jobUnderTest, phones, produce, readAll } from "./support.ts";

const cluster = await connect();

test("a job whose rows meet windows over themselves goes on after a restart, and gives what the notebook gives", async () => {
  const job = await jobUnderTest(cluster, { partitions: 2, plans: "x", script: "meets-itself-job.ts" });
  const records = phones(600, 5, seeded(3));
  await produce(cluster, job.input, records.slice(0, 250));
  await job.toEnd();
  await produce(cluster, job.input, records.slice(250));
  await job.toEnd();
  const written = (await readAll(cluster, job.output)).map(({ value }) => value);
  assert.equal(new Set(written.map(({ n }) => n)).size, written.length, "no row twice");
  const last = records.at(-1)!.timestamp - 20; // rows of the newest times wait for windows that close at them
  for (const { n, timestamp } of records)
    if (timestamp < last)
      assert.ok(
        written.some((row) => row.n === n),
        `row ${n}`,
      );
  process.env.KAFKA_BOOTSTRAP_SERVERS = cluster.config.bootstrapServers;
  process.env.TEST_INPUT = job.input;
  process.env.TEST_OUTPUT = job.output;
  const { besideWindows } = await import("./meets-itself-job.ts");
  const shown = (row: any) => `${row.n}: ${row.group} ${row.rows}`;
  const collected = (await besideWindows(job.input).collect()).toRecords();
  assert.deepEqual(written.map(shown).sort(), collected.map(shown).sort());
  assert.ok(written.filter(({ group }) => group !== null).length > records.length / 2);
});
