import assert from "node:assert/strict";
import path from "node:path";
import test from "node:test";
import { newSeed, seeded } from "../../support/seeded.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll, temporaryFolder } from "./support.ts";

const PLANS = "delta,anew,anew-windows";

test("a warm start of a plan that places rows anew: what comes after is what a job writes that had read all of it", {
  timeout: 240_000,
}, async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const cluster = await connect();
  const list = phones(3000, 20, seeded(seed));
  const cold = await jobUnderTest(cluster, { plans: PLANS });
  await produce(cluster, cold.input, list.slice(0, 2000));
  const read = Object.fromEntries(
    [...(await cluster.listOffsets(cold.input, "latest"))].map(([partition, end]) => [partition, [0, end]]),
  );
  await cold.toEnd();
  const before = await ends(cold);
  await produce(cluster, cold.input, list.slice(2000));
  await cold.toEnd();

  const warm = await jobUnderTest(cluster, { plans: PLANS, input: cold.input });
  const env = { TEST_WARM: JSON.stringify({ [cold.input]: read }) };
  const first = await warm.toEnd(env);
  assert.equal(first.rowsIn, 1000);
  for (const plan of PLANS.split(",")) {
    const [expected, written] = [await rows(cold, plan, before), await rows(warm, plan, new Map())];
    assert.ok(expected.length > 0, plan);
    assert.deepEqual(written, expected, plan);
  }

  // it is a job like any other from then on, also from its changelogs alone
  await produce(cluster, cold.input, phones(500, 20, seeded(seed), 1_700_000_100_000, 3000));
  await cold.toEnd();
  const other = path.join(await temporaryFolder(), "state");
  assert.equal((await warm.toEnd({ ...env, MILLRACE_STATE_DIR: other })).rowsIn, 500);
  for (const plan of PLANS.split(","))
    assert.deepEqual(await rows(warm, plan, new Map()), await rows(cold, plan, before), `${plan}, later`);

  async function ends(job: JobUnderTest): Promise<Map<string, number>> {
    const all = await Promise.all(
      PLANS.split(",").map(async (plan) =>
        [...(await cluster.listOffsets(`${job.output}-${plan}`, "latest"))].map(
          ([partition, end]) => [`${plan}/${partition}`, end] as const,
        ),
      ),
    );
    return new Map(all.flat());
  }

  /** Written from these offsets on. */
  async function rows(job: JobUnderTest, plan: string, from: ReadonlyMap<string, number>): Promise<string[]> {
    const all = await readAll(cluster, `${job.output}-${plan}`);
    return all
      .filter(({ partition, offset }) => offset >= (from.get(`${plan}/${partition}`) ?? 0))
      .map(({ key, value }) => JSON.stringify([key, value]))
      .sort();
  }
});

test("several workers that start warm at a time make the state once", { timeout: 100_000 }, async () => {
  const cluster = await connect();
  const list = phones(900, 9, seeded(5));
  const job = await jobUnderTest(cluster, { plans: "anew" });
  await produce(cluster, job.input, list.slice(0, 600));
  const read = Object.fromEntries(
    [...(await cluster.listOffsets(job.input, "latest"))].map(([partition, end]) => [partition, [0, end]]),
  );
  await produce(cluster, job.input, list.slice(600));
  const folders = await Promise.all(Array.from({ length: 5 }, () => temporaryFolder()));
  const runs = await Promise.all(
    folders.map((folder) =>
      job.start(["--until", "end", "--json"], {
        TEST_WARM: JSON.stringify({ [job.input]: read }),
        MILLRACE_STATE_DIR: path.join(folder, "state"),
      }),
    ),
  );
  const ended = await Promise.all(runs.map(({ ended }) => ended));
  for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
  const written = await readAll(cluster, `${job.output}-anew`);
  assert.deepEqual(
    written.map(({ value }) => value.n).sort((a, b) => a - b),
    list.slice(600).map(({ n }) => n),
  );
  assert.ok(
    written.every(({ value }) => value.delta !== null),
    "every bucket was seen before",
  );
});
