import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { before, test } from "node:test";
import type { Cluster } from "../../../lib/log/index.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { connect, type JobUnderTest, jobUnderTest, phones, produce, readAll } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const seed = newSeed();
console.log(`seed ${seed}`);
const random = seeded(seed);
const START = 1_700_000_000_000;

/** Sinks of `verbs-under-test.ts`, and whether their rows replace earlier ones: then how many there are depends on batches, the last does not. */
const VERBS = {
  groupBy: "replaced",
  forgotten: "replaced",
  unique: "kept",
  explode: "kept",
  unnest: "kept",
  sessions: "kept",
  count: "kept",
  rolling: "kept",
  hopping: "kept",
  days: "kept",
  late: "kept",
  windowsOverWindows: "kept",
  average: "kept",
} as const;

/** What a sink wrote, per key in order: values and timestamps. */
async function written(job: JobUnderTest, verb: keyof typeof VERBS): Promise<Map<string | null, string[]>> {
  const records = await readAll(cluster, `${job.output}-${verb}`);
  const ordered = records.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  const perKey = Map.groupBy(ordered, ({ key }) => key);
  const texts = [...perKey].map(([key, list]): [string | null, string[]] => {
    const rows = list.map(({ value, timestamp }) => JSON.stringify([timestamp, rounded(value)]));
    return [key, VERBS[verb] === "replaced" ? rows.slice(-1) : rows];
  });
  return new Map(texts.sort(([a], [b]) => ((a ?? "") < (b ?? "") ? -1 : 1)));
}

/** Sums over other batches may differ in their last digits. */
function rounded(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, cell]) => [name, typeof cell === "number" ? Number(cell.toPrecision(9)) : cell]),
  );
}

test("a job with every verb that keeps state writes the same rows whether or not it is stopped, and its state lost, in between", {
  timeout: 180_000,
}, async () => {
  const stopped = await jobUnderTest(cluster, { script: "verbs-under-test.ts", partitions: 2 });
  const whole = await jobUnderTest(cluster, { script: "verbs-under-test.ts", input: stopped.input });
  await produce(cluster, stopped.input, phones(300, 5, random, START));
  await stopped.toEnd();
  // some that are late, and some after a pause in which sessions end
  await produce(cluster, stopped.input, [
    ...phones(10, 5, random, START - 4000, 300),
    ...phones(300, 5, random, START + 3000, 310),
  ]);
  await stopped.toEnd();
  await rm(stopped.stateDir, { recursive: true });
  await produce(cluster, stopped.input, phones(200, 5, random, START + 90_000_000, 610));
  await stopped.toEnd();

  await whole.toEnd();
  for (const verb of Object.keys(VERBS) as (keyof typeof VERBS)[]) {
    const expected = await written(whole, verb);
    assert.ok(expected.size > 0, `${verb} wrote something`);
    assert.deepEqual(await written(stopped, verb), expected, verb);
  }
});
