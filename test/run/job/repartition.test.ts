import assert from "node:assert/strict";
import path from "node:path";
import test, { before } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { seeded } from "../../support/seeded.ts";
import { assertRepeatsOnly, assertSameRows, rowsOf } from "./expected.ts";
import { expectedMeetings, isMeeting } from "./expected-meetings.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll, temporaryFolder } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

/**
 * Every row that DuckDB expects, of a key in its order; at-least-once may repeat rows, as they were: what goes from worker to worker is exact
 * under both guarantees.
 */
async function assertAnew(job: JobUnderTest, guarantee = "exactly-once"): Promise<void> {
  const input = await readAll(cluster, job.input);
  const plans = job.plans.filter(isMeeting);
  const expected = await expectedMeetings({ input, other: [], models: [] }, plans);
  for (const plan of plans) {
    const written = rowsOf(await readAll(cluster, `${job.output}-${plan}`));
    if (guarantee === "exactly-once") assertSameRows(written, expected[plan]!, plan);
    else assertRepeatsOnly(written, expected[plan]!, plan);
  }
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
  const job = await jobUnderTest(cluster, { plans: "anew" });
  await produce(cluster, job.input, phones(500, 20, seeded(2)));
  await job.toEnd();
  const first = (await readAll(cluster, `${job.output}-anew`)).length;
  assert.equal((await job.toEnd()).rowsIn, 0); // what it says is that all have ended: a later run does not go by it
  await produce(cluster, job.input, phones(500, 20, seeded(3), 1_700_000_010_000, 500));
  await job.toEnd();
  // what was worked on lies in the topics between tasks no longer
  const between = [...(await cluster.topics()).keys()].filter(
    (name) => name.startsWith(`${job.name}-`) && name.endsWith("-repartition"),
  );
  assert.equal(between.length, 1);
  assert.deepEqual(await readAll(cluster, between[0]!), []);
  assert.ok([...(await cluster.listOffsets(between[0]!, "earliest")).values()].some((offset) => offset > 0));
  assert.deepEqual([first, (await readAll(cluster, `${job.output}-anew`)).length], [500, 1000]);
  await assertAnew(job); // what the first run had read to its end is waited for again
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
    await assertAnew(job, guarantee);
  });
