import assert from "node:assert/strict";
import test from "node:test";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, produce, readAll, untilOpened } from "./support.ts";

test("a job closes the windows of a quiet partition by the clock, once, also over kill -9", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "idle", partitions: 1 });
  const start = 1_700_000_000_000;
  const reading = (n: number, ms: number) => ({ device: "a", timestamp: start + ms, x: n, y: 0, n });
  const written = async () =>
    (await readAll(cluster, `${job.output}-idle`)).map(({ value }) => [
      Date.parse(value.window_start) - start,
      value.count,
      value.last,
    ]);
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
});
