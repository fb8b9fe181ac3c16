import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import test, { before } from "node:test";
import { createPartitionsV3 } from "@platformatic/kafka";
import type { Cluster } from "../../../lib/log/index.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { expectedRows } from "./expected.ts";
import { connect, jobUnderTest, phones, produce, readAll, untilOpened } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

test("state that the changed plan would miss or misread is refused with the difference, also where the local file is gone", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(300, 5, seeded(1)));
  await job.toEnd();
  const changes: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    [
      "a window added",
      { TEST_PLANS: "delta,windows" },
      /would begin at the committed offsets[\s\S]*^state .*delta.*: survives/m,
    ],
    [
      "a filter above the state",
      { TEST_FILTER: "yes" },
      /holds something else[\s\S]*\+ .*filter[\s\S]*: rebuilt;.*comes before it now/,
    ],
  ];
  for (const [what, env, says] of changes) {
    const { code, stderr } = await (await job.start(["--until", "end"], env)).ended;
    assert.equal(code, 2, `${what}: ${stderr}`);
    assert.match(stderr, says, what);
    assert.match(stderr, /written by another version of the plan[\s\S]*what to do/, what);
    assert.doesNotMatch(stderr, /partition opened/, what);
    await rm(job.stateDir, { recursive: true, force: true });
  }
  assert.equal((await job.toEnd()).rowsIn, 0, "the plan that wrote the state goes on");
});

test("another length of a window is refused", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { plans: "windows" });
  await produce(cluster, job.input, phones(300, 5, seeded(5)));
  await job.toEnd();
  const { code, stderr } = await (await job.start(["--until", "end"], { TEST_EVERY: "2s" })).ended;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /~ .*tumbling 1s[\s\S]*window_2s.*: new[\s\S]*window_1s.*: dropped/);
});

test("state that a changed plan has as well is gone on from: a sink added, one taken away", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(300, 5, seeded(6)));
  await job.toEnd();
  await produce(cluster, job.input, phones(200, 5, seeded(7), 1_700_000_002_000, 300));
  const { code, stderr } = await (await job.start(["--until", "end"], { TEST_PLANS: "stateless,delta" })).ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /the plan has changed[\s\S]*becomes=survives/);
  await produce(cluster, job.input, phones(200, 5, seeded(8), 1_700_000_004_000, 500));
  assert.equal((await job.toEnd()).rowsIn, 200);
  const deltas = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();
  const expected = expectedRows(await readAll(cluster, job.input)).delta;
  const written = await readAll(cluster, `${job.output}-delta`);
  assert.equal(written.length, 700);
  const first = written.filter(({ value }) => value.delta === null);
  assert.equal(first.length, 5, "only the first row of each device has nothing before it");
  assert.deepEqual(
    deltas(written.map(({ value }) => [value.n, typeof value.delta === "number" ? value.delta.toFixed(9) : null])),
    deltas(expected.map(([, , value]) => [value.n, typeof value.delta === "number" ? value.delta.toFixed(9) : null])),
  );
});

test("a store under another name is refused, saying what it was; --rebuild makes it anew in silence, --reset with all outputs", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(300, 5, seeded(10)));
  await job.toEnd();
  await produce(cluster, job.input, phones(200, 5, seeded(11), 1_700_000_002_000, 300));
  const renamed = { TEST_DELTA: "change", MILLRACE_SESSION_TIMEOUT: "6s" };
  const run = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
    await (await job.start(["--until", "end", "--json", ...args], env)).ended;
  const { code, stderr } = await run([], renamed);
  assert.equal(code, 2, stderr);
  assert.match(stderr, /State change_by_device is what delta_by_device was[\s\S]*not carried over/);
  assert.match(
    stderr,
    /state change_by_device \(was delta_by_device\): survives[\s\S]*--reset[\s\S]*--rebuild[\s\S]*new name/,
  );
  assert.doesNotMatch(stderr, /partition opened/);

  const rebuilt = await run(["--rebuild", "--yes"], renamed);
  assert.equal(rebuilt.code, 0, rebuilt.stderr);
  const written = async () => (await readAll(cluster, `${job.output}-delta`)).map(({ value }) => value);
  const all = expectedRows(await readAll(cluster, job.input)).delta.map(([, , value]) => value);
  const differences = (rows: readonly any[], column: string) =>
    rows.map((row) => [row.n, typeof row[column] === "number" ? row[column].toFixed(9) : null]).sort();
  const later = (await written()).filter(({ n }) => n >= 300);
  assert.equal((await written()).length, 500, "nothing is written again");
  assert.deepEqual(
    differences(later, "change"),
    differences(
      all.filter(({ n }) => (n as number) >= 300),
      "delta",
    ),
    "the difference to the row before, which was read by the plan before",
  );

  const reset = await run(["--reset", "--yes"], { ...renamed, TEST_DELTA: "step" });
  assert.equal(reset.code, 0, reset.stderr);
  const again = (await written()).filter((row) => "step" in row);
  assert.deepEqual(differences(again, "step"), differences(all, "delta"));
});

test("--reset begins anew with the changed plan, once it is confirmed and no worker runs", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(300, 5, seeded(9)));
  await job.toEnd();
  const changed = { TEST_PLANS: "delta,windows", MILLRACE_SESSION_TIMEOUT: "6s" };
  const refused = async (args: readonly string[], says: RegExp) => {
    const { code, stderr } = await (await job.start(args, changed)).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  };
  await refused(["--until", "end", "--reset"], /was not confirmed, and nothing was done[\s\S]*--yes/);
  const running = await job.start();
  await untilOpened(running);
  await refused(["--until", "end", "--reset", "--yes"], /Workers of .* are running/);
  running.child.kill("SIGTERM");
  assert.equal((await running.ended).code, 0);
  const { code, stderr, stdout } = await (await job.start(["--until", "end", "--json", "--reset", "--yes"], changed))
    .ended;
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout.trim()).rowsIn, 300, "all is read again");
  const written = await readAll(cluster, `${job.output}-delta`);
  assert.equal(
    written.filter(({ value }) => value.delta === null).length,
    10,
    "each device begins once more, with no state",
  );
  assert.equal((await job.toEnd(changed)).rowsIn, 0);
});

test("a plan without state may change into another one, not into one with state", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { plans: "stateless" });
  await produce(cluster, job.input, phones(300, 5, seeded(2)));
  assert.equal((await job.toEnd()).rowsIn, 300);
  assert.equal((await job.toEnd({ TEST_FILTER: "yes" })).rowsIn, 0);
  const { code, stderr } = await (await job.start(["--until", "end"], { TEST_PLANS: "delta" })).ended;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /would begin at the committed offsets/);
});

test("a changed partition count of the source stops a job with state, running or not; one without goes on", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 2, plans: "delta" });
  const stateless = await jobUnderTest(cluster, { plans: "stateless", input: job.input });
  await produce(cluster, job.input, phones(300, 5, seeded(3)));
  await stateless.toEnd();
  const [running, reading] = [await job.start(), await stateless.start()];
  for (const run of [running, reading]) await untilOpened(run);
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
