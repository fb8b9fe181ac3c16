import assert from "node:assert/strict";
import test, { before } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { expectedRows, type Row } from "./expected.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll, untilOpened } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);
const START = 1_700_000_000_000;
const CHANGED = { TEST_PLANS: "delta,windows", MILLRACE_SESSION_TIMEOUT: "6s" };
const REBUILD = ["--until", "end", "--json", "--rebuild", "--yes"];

const rounded = (value: Record<string, unknown>) =>
  Object.entries(value)
    .map(([name, cell]) => `${name}=${typeof cell === "number" ? cell.toFixed(9) : cell}`)
    .sort()
    .join(" ");
const lines = (rows: readonly Row[]) => rows.map(([key, , value]) => `${key} ${rounded(value)}`).sort();

async function writtenLines(job: JobUnderTest, sink: string): Promise<string[]> {
  return (await readAll(cluster, `${job.output}-${sink}`)).map(({ key, value }) => `${key} ${rounded(value)}`).sort();
}

/** Rows that the whole input makes and its first part does not. */
function since(part: readonly Row[], whole: readonly Row[]): string[] {
  const before = new Set(lines(part));
  return lines(whole).filter((line) => !before.has(line));
}

test("--rebuild: a changed plan has the state of all records, and writes nothing for those that were read", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(600, 5, random, START));
  await job.toEnd();
  const read = expectedRows(await readAll(cluster, job.input));
  const refused = await (await job.start(["--until", "end"], CHANGED)).ended;
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /with nothing written for what was read: --rebuild/);

  const { code, stderr, stdout } = await (await job.start(REBUILD, CHANGED)).ended;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /building the state anew records=600[\s\S]*state is as it was, rows are written from here on/);
  const { rowsIn, rowsOut } = JSON.parse(stdout.trim());
  assert.deepEqual([rowsIn, rowsOut], [600, 0]);
  assert.deepEqual(await writtenLines(job, "delta"), lines(read.delta), "nothing is written again");

  await produce(cluster, job.input, phones(300, 5, random, START + 2400, 600));
  assert.equal((await job.toEnd(CHANGED)).rowsIn, 300);
  const all = expectedRows(await readAll(cluster, job.input));
  assert.deepEqual(await writtenLines(job, "delta"), lines(all.delta));
  const windows = since(read.windows, all.windows);
  assert.ok(windows.length > 0);
  assert.deepEqual(await writtenLines(job, "windows"), windows, "windows that were open hold the records before, too");
});

test("--rebuild killed at any step: it goes on or another one does, and nothing is written twice", {
  timeout: 240_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta,windows" });
  await produce(cluster, job.input, phones(20_000, 5, random, START));
  await job.toEnd();
  const quick = { MILLRACE_SESSION_TIMEOUT: "6s", MILLRACE_COMMIT_INTERVAL: "20ms" };
  for (const step of [
    /topic deleted/,
    /building the state anew/,
    /partition opened/,
    /rows are written from here on/,
  ]) {
    const run = await job.start(["--rebuild", "--yes"], quick);
    await until(`${step}`, () => step.test(run.stderr()) || run.child.exitCode !== null, 60_000);
    assert.equal(run.child.exitCode, null, run.stderr());
    run.child.kill("SIGKILL");
    await run.ended;
    if (step.source === "partition opened")
      await produce(cluster, job.input, phones(500, 5, random, START + 80_000, 20_000));
  }
  const plain = await (await job.start(["--until", "end"], quick)).ended;
  assert.equal(plain.code, 0, plain.stderr);
  await produce(cluster, job.input, phones(500, 5, random, START + 82_000, 20_500));
  await job.toEnd();
  const all = expectedRows(await readAll(cluster, job.input));
  assert.deepEqual(await writtenLines(job, "delta"), lines(all.delta));
  assert.deepEqual(await writtenLines(job, "windows"), lines(all.windows));
});

test("cut off while changelogs are deleted, another --rebuild goes on; a --reset after it writes all once more", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  await produce(cluster, job.input, phones(600, 5, random, START));
  await job.toEnd();
  const env = { MILLRACE_SESSION_TIMEOUT: "6s" };
  const run = await job.start(["--rebuild", "--yes"], env);
  await until("the first changelog is deleted", () => /topic deleted/.test(run.stderr()), 30_000);
  run.child.kill("SIGKILL");
  await run.ended;
  const { code, stderr } = await (await job.start(REBUILD, env)).ended;
  assert.equal(code, 0, stderr);
  const all = expectedRows(await readAll(cluster, job.input));
  assert.deepEqual(await writtenLines(job, "delta"), lines(all.delta));

  const reset = await (await job.start(["--until", "end", "--json", "--reset", "--yes"], env)).ended;
  assert.equal(reset.code, 0, reset.stderr);
  assert.equal((await writtenLines(job, "delta")).length, 1200, "a reset after a rebuild writes all once more");
});

test("--rebuild is refused where it is not confirmed, workers run, there is nothing to build or it cannot be silent", {
  timeout: 120_000,
}, async () => {
  const job = await jobUnderTest(cluster, { plans: "delta" });
  const refused = async (args: readonly string[], says: RegExp, env: Readonly<Record<string, string>> = {}) => {
    const { code, stderr } = await (await job.start(args, { MILLRACE_SESSION_TIMEOUT: "6s", ...env })).ended;
    assert.equal(code, 2, stderr);
    assert.match(stderr, says);
  };
  await refused(REBUILD, /has no state to build anew: its group has no committed offsets/);
  await produce(cluster, job.input, phones(300, 5, random, START));
  await job.toEnd();
  await refused(
    ["--rebuild"],
    /--rebuild deletes the state of .* from the 300 records[\s\S]*was not confirmed[\s\S]*--yes/,
  );
  await refused([...REBUILD, "--reset"], /--reset and --rebuild exclude each other/);
  await refused(REBUILD, /its plan keeps no state/, { TEST_PLANS: "stateless" });

  const running = await job.start();
  await untilOpened(running);
  await refused(REBUILD, /Workers of .* are running/);
  running.child.kill("SIGTERM");
  assert.equal((await running.ended).code, 0);
  assert.equal((await job.toEnd()).rowsIn, 0, "what was refused has changed nothing");
});
