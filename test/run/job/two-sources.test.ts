import assert from "node:assert/strict";
import test from "node:test";
import { connect, jobUnderTest, produce, readAll } from "./support.ts";

const START = 1_700_000_000_000;
const good = (n: number, more: object = {}) => ({
  device: "a",
  at: START + n * 100,
  sent: START + n * 100,
  x: n,
  y: n,
  ...more,
});
const record = (value: unknown) => ({ key: "a", text: typeof value === "string" ? value : JSON.stringify(value) });

for (const ordered of [false, true])
  test(`a record is one dead letter, however many sources of its topic and sinks cannot use it${ordered ? ", read in one order, over restarts" : ""}`, {
    timeout: 120_000,
  }, async () => {
    const cluster = await connect();
    const job = await jobUnderTest(cluster, { partitions: 1, plans: "x", script: "two-sources-job.ts" });
    const env: Record<string, string> = ordered ? { TEST_ORDERED: "1" } : {};
    await produce(cluster, job.input, [
      record(good(0)),
      record("nonsense"), // for both
      record(good(1, { at: "never" })), // for one
      record(good(2, { sent: "never", y: 13 })), // for the other, and for the code of the first
      record(good(3, { y: 13 })), // for code
      record(good(4)),
    ]);
    assert.equal((await job.toEnd(env)).rowsIn, 6);
    await produce(cluster, job.input, [record("more nonsense"), record(good(6))]);
    await job.toEnd(env);
    const letters = await readAll(cluster, `${job.name}-dead-letter`);
    assert.deepEqual(letters.map(({ headers }) => Number(headers.offset)).sort(), [1, 2, 3, 4, 6]);
    const reasonOf = (offset: number) =>
      letters.find(({ headers }) => Number(headers.offset) === offset)!.headers.reason!;
    assert.match(reasonOf(4), /y is 13/);
    assert.match(reasonOf(3), ordered ? /sent|y is 13/ : /(?=.*sent)(?=.*y is 13)/);
    const xs = async (sink: string) => (await readAll(cluster, `${job.output}-${sink}`)).map(({ value }) => value.x);
    assert.deepEqual(await xs("x"), [0, 2, 3, 4, 6]);
    assert.deepEqual(await xs("sent"), [0, 1, 3, 4, 6]);
  });
