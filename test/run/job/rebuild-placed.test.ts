import assert from "node:assert/strict";
import test, { before } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const seed = newSeed();
console.log(`seed ${seed}`);
const REBUILD = ["--until", "end", "--json", "--rebuild", "--yes"];
const env = (plans: string) => ({ TEST_PLANS: plans, MILLRACE_SESSION_TIMEOUT: "6s" });

/** What a sink's topic holds, in no order. */
async function written(job: JobUnderTest, plan: string): Promise<string[]> {
  return (await readAll(cluster, `${job.output}-${plan}`)).map(({ key, value }) => JSON.stringify([key, value])).sort();
}

/** What is in the one and not in the other, as often as it is. */
function without(all: readonly string[], part: readonly string[]): string[] {
  const left = [...part];
  return all.filter((row) => {
    const at = left.indexOf(row);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

for (const [what, plans, more] of [
  ["places rows anew", "delta,anew", "anew-windows"],
  ["reads inputs in one order", "halves", "delta"],
] as const)
  test(`--rebuild of a plan that ${what}: nothing is written for what was read, and then what a job writes that had read all of it`, {
    timeout: 240_000,
  }, async () => {
    const changed = `${plans},${more}`;
    const list = phones(1500, 6, seeded(seed));
    const job = await jobUnderTest(cluster, { plans });
    await produce(cluster, job.input, list.slice(0, 1000));
    await job.toEnd();
    const wanted = await jobUnderTest(cluster, { plans: changed, input: job.input });
    await wanted.toEnd();
    const earlier = new Map<string, string[]>();
    for (const plan of changed.split(",")) earlier.set(plan, await written(wanted, plan));

    const refused = await (await job.start(["--until", "end"], env(changed))).ended;
    assert.equal(refused.code, 2, refused.stderr);
    assert.match(refused.stderr, /with nothing written for what was read: --rebuild/);
    const { code, stderr, stdout } = await (await job.start(REBUILD, env(changed))).ended;
    assert.equal(code, 0, stderr);
    assert.match(stderr, /state is as it was, rows are written from here on/);
    assert.equal(JSON.parse(stdout.trim()).rowsOut, 0);
    for (const plan of plans.split(",")) assert.deepEqual(await written(job, plan), earlier.get(plan), plan);

    await produce(cluster, job.input, list.slice(1000));
    assert.equal((await job.toEnd(env(changed))).rowsIn, 500);
    await wanted.toEnd();
    for (const plan of changed.split(",")) {
      const all = await written(wanted, plan);
      assert.ok(all.length > earlier.get(plan)!.length, plan);
      const had = plan === more ? earlier.get(plan)! : [];
      const [found, due] = [await written(job, plan), without(all, had)];
      assert.equal(found.length, due.length, plan);
      assert.deepEqual(without(found, due).slice(0, 3), [], plan);
    }
  });

test("--rebuild of a plan that places rows anew, killed at any step: another one goes on, or the next start does", {
  timeout: 240_000,
}, async () => {
  const list = phones(900, 20, seeded(seed));
  const job = await jobUnderTest(cluster, { plans: "anew" });
  await produce(cluster, job.input, list.slice(0, 600));
  await job.toEnd();
  const once = await written(job, "anew");
  for (const [step, again] of [
    [/topic deleted.*repartition/, REBUILD],
    [/building the state anew/, ["--until", "end", "--json"]],
    [/rows are written from here on/, ["--until", "end", "--json"]],
  ] as const) {
    const run = await job.start(["--rebuild", "--yes"], env("anew"));
    await until(`${step}`, () => step.test(run.stderr()) || run.child.exitCode !== null, 60_000);
    assert.equal(run.child.exitCode, null, run.stderr());
    run.child.kill("SIGKILL");
    await run.ended;
    const { code, stderr } = await (await job.start(again, env("anew"))).ended;
    assert.equal(code, 0, stderr);
    assert.deepEqual(await written(job, "anew"), once, `${step}`);
  }
  await produce(cluster, job.input, list.slice(600));
  await job.toEnd();
  const rows = (await readAll(cluster, `${job.output}-anew`)).map(({ value }) => value);
  assert.deepEqual(
    rows.map(({ n }) => n).sort((a, b) => a - b),
    list.map(({ n }) => n),
  );
  assert.ok(
    rows.filter(({ n }) => n >= 600).every(({ delta }) => delta !== null),
    "every bucket was seen before",
  );
});

test("a job that was stopped finishes with --until end, although nothing is new, and can be rebuilt", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "anew" });
  await produce(cluster, job.input, phones(600, 20, seeded(seed)));
  const live = await job.start();
  await until("most rows are written", async () => {
    const rows = await readAll(cluster, `${job.output}-anew`).catch(() => []); // the topic comes with the job
    return rows.length > 500;
  });
  live.child.kill("SIGTERM");
  await live.ended;
  const refused = await (await job.start(REBUILD, env("anew"))).ended;
  assert.equal(refused.code, 2, "the last rows wait for others, or windows would");
  assert.match(refused.stderr, /has not finished/);
  for (let times = 0; times < 2; times++) {
    await job.toEnd();
    const { code, stderr } = await (await job.start(REBUILD, env("anew"))).ended;
    assert.equal(code, 0, stderr);
  }
  assert.equal((await written(job, "anew")).length, 600);
});

test("--rebuild is refused while rows are under way between tasks, until the job has finished", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "anew" });
  // one partition has rows, and those of the others are waited for
  const list = phones(200, 1, seeded(seed));
  await produce(cluster, job.input, list);
  const run = await job.start();
  const sent = async () => [...(await cluster.topics()).keys()].filter((topic) => topic.startsWith(job.name));
  await until("rows are sent on", async () => {
    const topic = (await sent()).find((name) => name.endsWith("-repartition"));
    return topic !== undefined && [...(await cluster.listOffsets(topic, "latest")).values()].some((end) => end > 0);
  });
  run.child.kill("SIGTERM");
  await run.ended;
  const refused = await (await job.start(REBUILD, env("anew"))).ended;
  assert.equal(refused.code, 2, refused.stderr);
  assert.match(refused.stderr, /has not finished what it has begun to read[\s\S]*-repartition[\s\S]*--until end/);
  await job.toEnd();
  const { code, stderr } = await (await job.start(REBUILD, env("anew"))).ended;
  assert.equal(code, 0, stderr);
  assert.equal((await written(job, "anew")).length, 200);
});
