import assert from "node:assert/strict";
import { besideOf, jobUnderTest, produce, untilOpened } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { BrokerDrill, Drill } from "./drill.ts";
import { metric } from "./metric.ts";
import { writeReadings } from "./readings.ts";
import { mebibytes, resident } from "./resident.ts";

const SLICE = 100_000;
/** Records of the flow that a base is measured with. */
const FLOW = 2_000_000;
/** Phones of the soak. */
const DEVICES = 1000;
/** Beyond the 512 MiB that state may take: what a process takes anyway, see the large state; with rows that wait for others, and twice the sinks, more. */
const mostResident = (plans: readonly string[]) => (besideOf(plans).length > 0 ? 2 : 1.5) * 2 ** 30;

/** Sums and counts of `millrace_checkpoint_seconds`. */
async function checkpoints(stateDir: string): Promise<{ seconds: number; count: number }> {
  const of = async (what: string) => (await metric(stateDir, `millrace_checkpoint_seconds_${what}`)) ?? 0;
  return { seconds: await of("sum"), count: await of("count") };
}

/**
 * State of many more keys than fit in the memory given: the process stays within it beyond its base, and a checkpoint costs what has changed, not what is
 * held. Keys come in order, then a few of them again and again.
 */
export async function largeStateDrill({ cluster, guarantee, log }: Drill, millions: number): Promise<void> {
  const keys = millions * 1e6;
  const job = await jobUnderTest(cluster, { guarantee, plans: "delta", partitions: 4 });
  const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "1s", MILLRACE_STATE_MEMORY: "512MiB" });
  const processed = () => rowsIn(job.stateDir);
  await untilOpened(run);
  const key = (n: number) => `phone-${n}`;
  let written = 0;
  const write = async (keyed: (n: number) => string) => {
    await writeReadings(cluster, job.input, { from: written, count: SLICE, key: keyed });
    written += SLICE;
    while ((await processed()) < written - 10 * SLICE) await new Promise((resolve) => setTimeout(resolve, 200));
  };
  // the same flow with little state: what the process takes without the state that the bound is about
  while (written < FLOW) await write((n) => key(n % 10_000));
  await until("it is warm", async () => (await processed()) >= FLOW, 600_000);
  const { most: base } = await resident(run);
  log(`base, at the same flow with 10,000 keys: ${mebibytes(base)}`);
  const began = performance.now();
  while (written < FLOW + keys) {
    await write((n) => key(n - FLOW));
    if (written % 1e6 === 0) log(`${(written - FLOW) / 1e6} M keys, ${mebibytes((await resident(run)).now)}`);
  }
  await until("all keys are state", async () => (await processed()) >= FLOW + keys, 3600_000);
  log(`${millions} M keys in ${Math.round((performance.now() - began) / 1000)} s`);
  const before = await checkpoints(job.stateDir);
  for (let n = 0; n < 20; n++) {
    await writeReadings(cluster, job.input, { from: n * 1000, count: 1000, key: (one) => key((one * 7919) % keys) });
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  await until("they are done", async () => (await processed()) >= FLOW + keys + 20_000, 600_000);
  const after = await checkpoints(job.stateDir);
  const each = (after.seconds - before.seconds) / (after.count - before.count);
  const { most } = await resident(run);
  log(
    `a checkpoint of some thousand changed keys: ${Math.round(each * 1000)} ms; at most ${mebibytes(most)}, ${mebibytes(most - base)} beyond the base`,
  );
  run.child.kill("SIGTERM");
  assert.equal((await run.ended).code, 0, run.stderr());
  assert.ok(most - base < 512 * 2 ** 20, "the memory given");
}

/**
 * A job at full speed for a while: its memory does not grow, and stays within what a job may take.
 * @param rate bytes a second that what it writes passes at; 0: as fast as it goes
 */
export async function soakDrill(drill: BrokerDrill, minutes: number, rate: number): Promise<void> {
  const { cluster, guarantee, plans, log, network, servers } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 4 });
  const beside = besideOf(job.plans);
  const key = (n: number) => `phone-${n % DEVICES}`;
  if (beside.includes("models")) {
    const models = Array.from({ length: DEVICES }, (_, n) => ({ key: key(n), text: `{"model":"model ${n % 4}"}` }));
    await produce(cluster, `${job.input}-models`, models, 1_700_000_000_000 - 1000);
  }
  network.weather.produceRate = rate;
  const run = await job.start([], rate > 0 ? { KAFKA_BOOTSTRAP_SERVERS: servers } : {});
  let end = Number.POSITIVE_INFINITY; // known when it works
  const samples: number[] = [];
  let written = 0;
  try {
    while (performance.now() < end) {
      // what waits for partners an hour long in event time is a share of the run, not all of it
      const slice = { from: written, count: SLICE, key, apart: 20 };
      await writeReadings(cluster, job.input, slice);
      if (beside.includes("other")) await writeReadings(cluster, `${job.input}-other`, slice);
      written += beside.includes("other") ? 2 * SLICE : SLICE;
      if (end === Number.POSITIVE_INFINITY) {
        await until("it has committed records", async () => (await rowsIn(job.stateDir)) > 0, 180_000).catch(
          (error) => {
            throw new Error(`${error.message}; the job said:\n${run.stderr()}`);
          },
        );
        end = performance.now() + minutes * 60_000;
      }
      // as fast as it goes, and not as far ahead as the disk is large
      while (written - (await rowsIn(job.stateDir)) > 20 * SLICE && performance.now() < end) {
        assert.equal(run.child.exitCode, null, run.stderr());
        await new Promise((resolve) => setTimeout(resolve, 100));
        samples.push((await resident(run)).now);
      }
      samples.push((await resident(run)).now);
    }
    const done = await rowsIn(job.stateDir);
    const { most } = await resident(run);
    const third = Math.floor(samples.length / 3);
    const largest = (from: number) => Math.max(...samples.slice(from, from + third));
    const [middle, last] = [largest(third), largest(2 * third)];
    log(
      `${done} records in ${minutes} minutes; at most ${mebibytes(middle)} in the second third, ${mebibytes(last)} in the last, ${mebibytes(most)} ever; back to the last checkpoint ${run.stderr().split("back to the last checkpoint").length - 1} times`,
    );
    assert.ok(last < 1.15 * middle, "memory grew");
    assert.ok(most < mostResident(job.plans), "the process is larger than a job may be");
  } finally {
    network.calm();
    run.child.kill("SIGTERM");
  }
  assert.equal((await run.ended).code, 0, run.stderr());
}

const rowsIn = async (stateDir: string): Promise<number> => (await metric(stateDir, "millrace_rows_in_total")) ?? 0;
