import assert from "node:assert/strict";
import test from "node:test";
import { readState } from "../../../lib/run/job/read-state.ts";
import { connect, jobUnderTest, produce, readAll } from "./support.ts";

const START = 1_700_000_000_000;
const reading = (device: string, ms: number, x: number) => ({
  key: device,
  text: JSON.stringify({ device, timestamp: START + ms, x }),
});

test("a job of code goes on over a restart; a record for which it throws is a dead letter; SQL reads its state", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 1, script: "code-job.ts" });
  await produce(cluster, job.input, [reading("a", 0, 1), reading("a", 100, 13), reading("b", 200, 2)]);
  await job.toEnd();
  const [dead] = await readAll(cluster, `${job.name}-dead-letter`);
  assert.equal(dead?.headers.reason, "map: x is 13");
  assert.deepEqual([dead?.key, dead?.headers.offset], ["a", "1"]);

  await produce(cluster, job.input, [reading("a", 400, 3), reading("b", 1000, 4), reading("b", 1001, 0)]);
  await job.toEnd();
  const written = (await readAll(cluster, job.output)).map(({ value }) => value as Record<string, unknown>);
  const lines = (device: string) =>
    written.filter((row) => row.device === device).map(({ what, count, sum }) => `${what} ${count} ${sum}`);
  // the timer of a is due at 900, that of b at 700: both before the rows of 1000
  assert.deepEqual(lines("a"), ["row 1 3", "row 2 10", "quiet 2 10"]);
  assert.deepEqual(lines("b"), ["row 1 5", "quiet 1 5", "row 2 14", "row 3 15"]);

  const { rows } = await readState(
    job.stateDir,
    "SELECT device, (state->>'$.count')::int AS count FROM process_by_device ORDER BY device",
  );
  assert.deepEqual(
    rows.map(([device, count]) => [device, Number(count)]),
    [
      ["a", 2],
      ["b", 3],
    ],
  );
});
