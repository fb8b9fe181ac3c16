import assert from "node:assert/strict";
import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import test, { before } from "node:test";
import { incrementalAlterConfigsV1 } from "@platformatic/kafka";
import type { Cluster } from "../../../lib/log/index.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import {
  connect,
  type JobUnderTest,
  jobUnderTest,
  phones,
  produce,
  readAll,
  temporaryFolder,
  untilOpened,
} from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);

const START = 1_700_000_000_000;

/** Every output is what static Polars computes over the input as it is now, and so is the state. */
async function assertOutputs(job: JobUnderTest): Promise<void> {
  const input = await readAll(cluster, job.input);
  const expected = expectedRows(input);
  for (const plan of ["stateless", "delta", "windows"] as const)
    assertSameRows(rowsOf(await readAll(cluster, `${job.output}-${plan}`)), expected[plan], plan);
  const last = new Map(expected.delta.map(([device, , value]) => [device, value.total]));
  const { rows } = await readState(job.stateDir, "SELECT device, total FROM delta_by_device");
  assert.deepEqual(new Map(rows as any), last, "state");
}

for (const guarantee of ["exactly-once", "at-least-once"]) {
  test(`${guarantee}: what a job writes is what static Polars computes, also over restarts and a lost or damaged state file`, {
    timeout: 180_000,
  }, async () => {
    const job = await jobUnderTest(cluster, { guarantee });
    await produce(cluster, job.input, [...phones(2000, 7, random, START), { key: "phone-1", text: "nonsense" }]);
    const summary = await job.toEnd();
    assert.equal(summary.rowsIn, 2001);
    assert.ok(summary.secondsTotal >= summary.secondsSinceFirst && summary.secondsSinceFirst > 0);
    await assertOutputs(job);
    const [dead] = await readAll(cluster, `${job.name}-dead-letter`);
    assert.equal(dead?.value, "nonsense");
    assert.equal(dead?.key, "phone-1");
    assert.equal(dead?.headers.topic, job.input);
    assert.match(dead?.headers.reason ?? "", /not JSON/);

    await produce(cluster, job.input, phones(500, 7, random, START + 100_000, 2000));
    assert.equal((await job.toEnd()).rowsIn, 500);
    await assertOutputs(job);

    await rm(job.stateDir, { recursive: true });
    await produce(cluster, job.input, phones(500, 7, random, START + 200_000, 2500));
    assert.equal((await job.toEnd()).rowsIn, 500, "a lost state folder is restored from the changelog");
    await assertOutputs(job);

    await truncate(path.join(job.stateDir, "state.duckdb"), 20_000);
    await produce(cluster, job.input, phones(500, 7, random, START + 300_000, 3000));
    const rebuilt = await (await job.start(["--until", "end", "--json"])).ended;
    assert.equal(rebuilt.code, 0, rebuilt.stderr);
    assert.match(rebuilt.stderr, /set aside/);
    assert.equal(JSON.parse(rebuilt.stdout.trim()).rowsIn, 500, "a truncated file is rebuilt from the changelog");
    await assertOutputs(job);
  });
}

test("a state file that is behind the group's offsets replays its changelog, as after a kill between the two commits", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster);
  const file = path.join(job.stateDir, "state.duckdb");
  await produce(cluster, job.input, phones(500, 5, random, START));
  await job.toEnd();
  const before = await readFile(file);
  await produce(cluster, job.input, phones(500, 5, random, START + 100_000, 500));
  await job.toEnd();
  await writeFile(file, before); // Kafka's commit was the last that happened
  await rm(`${file}.wal`, { force: true });
  await produce(cluster, job.input, phones(500, 5, random, START + 200_000, 1000));
  const { code, stderr } = await (await job.start(["--until", "end"])).ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /local state is behind, replaying its changelog/);
  await assertOutputs(job);
});

test("SIGTERM: a checkpoint, and out with 0; the next run goes on from there", { timeout: 120_000 }, async () => {
  const job = await jobUnderTest(cluster);
  await produce(cluster, job.input, phones(1000, 5, random, START));
  const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "10m" }); // only the signal makes it checkpoint
  await untilOpened(run, 3);
  const ends = async (isolation: "read_committed" | "read_uncommitted") =>
    [...(await cluster.listOffsets(`${job.output}-delta`, "latest", isolation)).values()].reduce((a, b) => a + b);
  await until("it has written all", async () => (await ends("read_uncommitted")) === 1000);
  assert.equal(await ends("read_committed"), 0, "exactly-once where nothing is said: outputs wait for the checkpoint");
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /job started .*guarantee=exactly-once/);
  await produce(cluster, job.input, phones(1000, 5, random, START + 100_000, 1000));
  const again = await (await job.start(["--until", "end"])).ended;
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /local state is intact, (going on from it|replaying the end of its changelog)/);
  assert.doesNotMatch(again.stderr, /is behind|rebuilding it|set aside/);
  await assertOutputs(job);
});

test("a changelog that is there already and is not compacted is refused before anything is made; once it is, the job runs", {
  timeout: 60_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  const changelog = (store: string) => `${job.name}-${store}-changelog`;
  const made: [string, Record<string, string>][] = [
    ["delta_by_device", { "cleanup.policy": "delete", "retention.ms": "3600000" }],
    ["watermark", { "cleanup.policy": "compact,delete", "retention.ms": "3600000" }],
  ];
  for (const [store, config] of made) await cluster.createTopic(changelog(store), { partitions: 3, config });
  await produce(cluster, job.input, phones(100, 5, random, START));
  const { code, stderr } = await (await job.start(["--until", "end"])).ended;
  assert.equal(code, 2, stderr);
  assert.match(stderr, /watermark-changelog is to keep .*\(cleanup\.policy=compact,delete, retention\.ms=3600000/);
  assert.match(stderr, /where: topic .*watermark-changelog, .*delta_by_device-changelog[\s\S]*cleanup\.policy=compact/);
  assert.ok(!(await cluster.topics()).has(`${job.output}-delta`), "nothing was made");
  const [SET, TOPIC] = [0, 2] as const;
  const configs = [{ name: "cleanup.policy", configOperation: SET, value: "compact" }];
  const resources = made.map(([store]) => ({ resourceType: TOPIC, resourceName: changelog(store), configs }));
  await (await cluster.anyBroker()).request(incrementalAlterConfigsV1.api, resources, false);
  assert.equal((await job.toEnd()).rowsIn, 100);
});

test("headers are kept, except through windows", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { partitions: 1 });
  const readings = phones(200, 1, random, START).map((phone, i) => ({
    key: phone.device,
    text: JSON.stringify(phone),
    ...(i % 2 === 0 && { header: `trace-${i}` }),
  }));
  await produce(cluster, job.input, readings);
  await job.toEnd();
  const written = await readAll(cluster, `${job.output}-delta`);
  assert.deepEqual(
    written.map(({ value, headers }) => [value.n, headers]),
    readings.map((_, i) => [i, i % 2 === 0 ? { trace: `trace-${i}` } : {}]),
  );
  const windows = await readAll(cluster, `${job.output}-windows`);
  assert.ok(windows.length > 0 && windows.every(({ headers }) => Object.keys(headers).length === 0));
});

test("an empty topic: done at once, outputs created with the source's partition count", {
  timeout: 60_000,
}, async () => {
  const job = await jobUnderTest(cluster, { partitions: 4 });
  const summary = await job.toEnd();
  assert.deepEqual([summary.rowsIn, summary.rowsOut], [0, 0]);
  assert.equal((await cluster.metadata([`${job.output}-windows`])).get(`${job.output}-windows`)?.partitions.length, 4);
});

test("two workers share the partitions; when one leaves, the other takes its state over", {
  timeout: 180_000,
}, async () => {
  const job = await jobUnderTest(cluster);
  await produce(cluster, job.input, phones(1000, 7, random, START));
  const other = path.join(await temporaryFolder(), "other");
  const first = await job.start();
  const second = await job.start([], { MILLRACE_STATE_DIR: other });
  await untilOpened(second);
  await produce(cluster, job.input, phones(1000, 7, random, START + 100_000, 1000));
  await until("both are through", async () => (await readAll(cluster, `${job.output}-delta`)).length >= 2000, 60_000);
  second.child.kill("SIGTERM");
  assert.equal((await second.ended).code, 0, second.stderr());
  await produce(cluster, job.input, phones(1000, 7, random, START + 200_000, 2000));
  await until(
    "the first is through",
    async () => (await readAll(cluster, `${job.output}-delta`)).length >= 3000,
    60_000,
  );
  first.child.kill("SIGTERM");
  assert.equal((await first.ended).code, 0, first.stderr());
  await assertOutputs(job);
});

test("--on-error stop ends at the first bad record, naming it", { timeout: 60_000 }, async () => {
  const job = await jobUnderTest(cluster, { partitions: 1 });
  await produce(cluster, job.input, [...phones(3, 1, random), { key: "phone-0", text: '{"x":"fast"}' }]);
  const { code, stderr } = await (await job.start(["--on-error", "stop", "--until", "end"])).ended;
  assert.equal(code, 1);
  assert.match(stderr, /cannot be read: x: .*partition 0, offset 3/s);
});

const refused: [string, readonly string[], Record<string, string>, number, RegExp][] = [
  ["an unknown flag", ["--untill", "end"], {}, 2, /--untill is unknown[\s\S]*--until end/],
  ["a wrong value of --until", ["--until", "tomorrow"], {}, 2, /--until is "tomorrow"/],
  [
    "an unknown guarantee",
    [],
    { MILLRACE_GUARANTEE: "at-most-once" },
    2,
    /MILLRACE_GUARANTEE.*exactly-once or at-least-once/s,
  ],
  ["an unknown form of log", [], { MILLRACE_LOG_FORMAT: "xml" }, 2, /MILLRACE_LOG_FORMAT is "xml"[\s\S]*text or json/],
  ["a duration without unit", [], { MILLRACE_COMMIT_INTERVAL: "5" }, 2, /MILLRACE_COMMIT_INTERVAL is "5"/],
  ["no broker address", [], { KAFKA_BOOTSTRAP_SERVERS: "kafka" }, 2, /"kafka" is not a broker address[\s\S]*host:port/],
  ["an unreachable broker", [], { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" }, 1, /127\.0\.0\.1:1/],
  ["a missing topic", [], { TEST_INPUT: "no-such-topic" }, 1, /no topic "no-such-topic"/],
];
for (const [what, args, env, exit, message] of refused) {
  test(`${what} is one clear block and exit code ${exit}`, { timeout: 60_000 }, async () => {
    const job = await jobUnderTest(cluster);
    const { code, stderr } = await (await job.start(args, env)).ended;
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /, "no stack");
    assert.equal(code, exit);
  });
}

test("a state folder that cannot be written, or is of another job, is one clear block", {
  timeout: 60_000,
}, async () => {
  const job = await jobUnderTest(cluster);
  const file = path.join(await temporaryFolder(), "file");
  await writeFile(file, "");
  const unwritable = await (await job.start([], { MILLRACE_STATE_DIR: path.join(file, "state") })).ended;
  assert.deepEqual(
    [unwritable.code, /state folder cannot be written/.test(unwritable.stderr)],
    [1, true],
    unwritable.stderr,
  );
  await job.toEnd();
  const other = await (await job.start([], { MILLRACE_JOB_NAME: `${job.name}-b` })).ended;
  assert.deepEqual([other.code, /belongs to the job/.test(other.stderr)], [2, true], other.stderr);
});
