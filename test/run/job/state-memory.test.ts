import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import test from "node:test";
import { readState } from "../../../lib/run/job/read-state.ts";
import { seeded } from "../../support/seeded.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { connect, jobUnderTest, phones, produce, readAll } from "./support.ts";

test("state of many times its memory: the same rows, over a restart and a restore from the changelog", {
  timeout: 180_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 2, plans: "delta" });
  const devices = 20_000; // about 1.5 MB of rows, where a quarter of 1 MiB is for rows
  const environment = { MILLRACE_STATE_MEMORY: "1MiB" };
  for (const [round, what] of ["from nothing", "after a restart", "after a restore"].entries()) {
    if (round === 2) await rm(job.stateDir, { recursive: true });
    const records = phones(devices, devices, seeded(round), 1_700_000_000_000 + round * 60_000, round * devices);
    await produce(cluster, job.input, records);
    assert.equal((await job.toEnd(environment)).rowsIn, devices, what);
    const { rows } = await readState(job.stateDir, "SELECT count(*), count(DISTINCT device) FROM delta_by_device");
    assert.deepEqual(rows, [[devices, devices]], what);
  }
  const expected = expectedRows(await readAll(cluster, job.input)).delta;
  assertSameRows(rowsOf(await readAll(cluster, `${job.output}-delta`)), expected, "delta");
});

test("a size that is none is one clear block", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(await connect(), { plans: "delta" });
  const { code, stderr } = await (await job.start([], { MILLRACE_STATE_MEMORY: "a lot" })).ended;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /MILLRACE_STATE_MEMORY is "a lot"[\s\S]*64MiB/);
});
