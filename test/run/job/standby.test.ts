import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { readState } from "../../../lib/run/job/read-state.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { connect, type JobRun, jobUnderTest, phones, produce, readAll, temporaryFolder } from "./support.ts";

const opened = (run: JobRun) =>
  [...run.stderr().matchAll(/partition opened partition=(\d+)/g)].map(([, one]) => Number(one));
const warm = (run: JobRun) => run.stderr().split("standby copy is up to date").length - 1;
const copied = (run: JobRun) => run.stderr().split("going on from the standby copy").length - 1;

test("standby replicas: partitions move to warm copies, when a worker joins and when one is killed; SQL sees no copies", {
  timeout: 180_000,
}, async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 4, plans: "delta,windows" });
  const folder = await temporaryFolder();
  let records = 0;
  const feed = async () => {
    await produce(cluster, job.input, phones(4000, 97, random, 1_700_000_000_000 + records * 20, records), Date.now());
    records += 4000;
  };
  const worker = (name: string) =>
    job.start([], {
      MILLRACE_STANDBY_REPLICAS: "1",
      MILLRACE_SESSION_TIMEOUT: "6s",
      MILLRACE_STATE_DIR: path.join(folder, name),
    });
  const devices = async (name: string) => {
    const sql = "SELECT count(*) AS n, count(DISTINCT device) AS different FROM delta_by_device";
    return (await readState(path.join(folder, name), sql)).rows[0] as [number, number];
  };

  const first = await worker("first");
  await feed();
  await until("the first has all", () => opened(first).length === 4, 60_000);
  const second = await worker("second");
  await until("the second has copies, then partitions", () => opened(second).length === 2, 60_000);
  assert.ok(warm(second) >= 2, second.stderr());
  assert.equal(copied(second), 2, second.stderr());
  await feed();
  await until("the first has copies of what it gave away", () => warm(first) >= 2, 60_000);
  await until("every device is in one state", async () => {
    const both = [await devices("first"), await devices("second")];
    return both.reduce((sum, [n]) => sum + n, 0) === 97 && both.every(([n, different]) => n === different);
  });

  second.child.kill("SIGKILL");
  await second.ended;
  await feed();
  await until("the first goes on from its copies", () => opened(first).length >= 6, 60_000);
  assert.equal(copied(first), 2, first.stderr());
  assert.ok(!/rebuilding/.test(first.stderr()), first.stderr());

  first.child.kill("SIGTERM");
  assert.equal((await first.ended).code, 0, first.stderr());
  await job.toEnd({ MILLRACE_STATE_DIR: path.join(folder, "second") }); // what the killed one has is behind
  const expected = expectedRows(await readAll(cluster, job.input));
  for (const plan of ["delta", "windows"] as const)
    assertSameRows(rowsOf(await readAll(cluster, `${job.output}-${plan}`)), expected[plan], plan);
});
