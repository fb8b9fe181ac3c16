import assert from "node:assert/strict";
import test from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { until } from "../../support/until.ts";
import { connect, type JobUnderTest, jobUnderTest, produce, readAll, untilOpened } from "./support.ts";

const START = 1_700_000_000_000;
const reading = (n: number, ms: number) => ({ device: "a", timestamp: START + ms, x: n, y: 0, n });
const windowsOf = async (cluster: Cluster, job: JobUnderTest) =>
  (await readAll(cluster, `${job.output}-idle`)).map(({ value }) => [
    Date.parse(value.window_start) - START,
    value.count,
    value.last,
  ]);

test("a job closes the windows of a quiet partition by the clock, once, also over kill -9", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "idle", partitions: 1 });
  const written = () => windowsOf(cluster, job);
  await produce(cluster, job.input, [reading(0, 100), reading(1, 900)]);
  const first = await job.start();
  await untilOpened(first);
  await until("the window to close by the clock", async () => (await written()).length === 1, 60_000);
  // as soon as it is out: the state file is then behind its changelog as a rule, and at the same offsets
  first.child.kill("SIGKILL");
  await first.ended;
  // its window has been given: one row is late, the other opens the next window
  await produce(cluster, job.input, [reading(2, 950), reading(3, 1500)]);
  const second = await job.start();
  await until("the next window", async () => (await written()).length === 2, 60_000);
  second.child.kill("SIGTERM");
  assert.equal((await second.ended).code, 0, second.stderr());
  assert.deepEqual(await written(), [
    [0, 2, 1],
    [1000, 1, 3],
  ]);

  // the records alone do not tell what the clock did: a rebuild says what it will give once more
  const env = { MILLRACE_SESSION_TIMEOUT: "6s" };
  const asked = await (await job.start(["--rebuild"], env)).ended;
  assert.equal(asked.code, 2);
  assert.match(
    asked.stderr,
    /what the wall clock has closed or called: "groupByDynamic .*" gives it once more[\s\S]*--yes/,
  );
  const third = await job.start(["--rebuild", "--yes"], env);
  await until("what the clock closes", async () => (await written()).length === 3, 60_000);
  third.child.kill("SIGTERM");
  assert.equal((await third.ended).code, 0, third.stderr());
  assert.deepEqual(
    (await written()).at(-1),
    [1000, 1, 3],
    "what was open by event time, once more; what event time closed is not",
  );
});

test("at-least-once, too: what the clock gave is seen with the checkpoint that knows of it, or given anew with all that came", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "idle", partitions: 1, guarantee: "at-least-once" });
  await produce(cluster, job.input, [reading(0, 100), reading(1, 900)]);
  const first = await job.start([], { MILLRACE_COMMIT_INTERVAL: "10m" });
  await untilOpened(first);
  const end = async () => (await cluster.listOffsets(`${job.output}-idle`, "latest", "read_uncommitted")).get(0)!;
  await until("the window to close by the clock", async () => (await end()) > 0, 60_000);
  first.child.kill("SIGKILL");
  await first.ended;
  await produce(cluster, job.input, [reading(2, 950), reading(3, 1500)]);
  const second = await job.start();
  await until("the next window", async () => (await windowsOf(cluster, job)).length >= 2, 60_000);
  second.child.kill("SIGTERM");
  assert.equal((await second.ended).code, 0, second.stderr());
  assert.deepEqual(await windowsOf(cluster, job), [
    [0, 3, 2],
    [1000, 1, 3],
  ]);
});

test("at-least-once: what comes after rows that the clock gave is not seen before them", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "models", partitions: 1, guarantee: "at-least-once" });
  const models = `${job.input}-models`;
  const model = (key: string) => ({ key, text: '{"model":"m"}' });
  await produce(cluster, models, [model("a")], START);
  await produce(cluster, job.input, [reading(0, 100)]);
  const first = await job.start([], { MILLRACE_COMMIT_INTERVAL: "10m" });
  await untilOpened(first);
  const end = async () => (await cluster.listOffsets(`${job.output}-models`, "latest", "read_uncommitted")).get(0)!;
  // nothing later comes of the models: after a second it is not waited for
  await until("the clock to let a reading go", async () => (await end()) === 1, 60_000);
  await produce(cluster, models, [model("b")], START + 10_000);
  await produce(cluster, job.input, [reading(1, 200)]);
  await until("a reading that is not waited for", async () => (await end()) === 2, 60_000);
  first.child.kill("SIGKILL"); // nothing is committed: the first row is gone with the transaction
  await first.ended;
  await job.toEnd();
  const seen = (await readAll(cluster, `${job.output}-models`)).map(({ value }) => value.n);
  assert.deepEqual(seen, [0, 1]);
});
