import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { readOwner } from "../../lib/run/job/state-folder.ts";
import { type JobRun, jobUnderTest, untilOpened } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { writeReadings } from "./readings.ts";

const SLICE = 100_000;
/** Records of the flow that a base is measured with. */
const FLOW = 2_000_000;

/** Resident bytes of a process, now and at most so far. */
async function resident(run: JobRun): Promise<{ now: number; most: number }> {
  const status = await readFile(`/proc/${run.child.pid}/status`, "utf8");
  const of = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
  return { now: of("VmRSS"), most: of("VmHWM") };
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;

/** Sums and counts of `millrace_checkpoint_seconds`. */
async function checkpoints(stateDir: string): Promise<{ seconds: number; count: number }> {
  const text = await (await fetch(`${(await readOwner(stateDir))?.url}/metrics`)).text();
  const of = (what: string) => Number(new RegExp(`^millrace_checkpoint_seconds_${what} (\\S+)`, "m").exec(text)?.[1]);
  return { seconds: of("sum"), count: of("count") };
}

/**
 * State of many more keys than fit in the memory given: the process stays within it beyond its base, and a checkpoint costs what has changed, not what is
 * held. Keys come in order, then a few of them again and again.
 */
export async function largeStateDrill({ cluster, guarantee, log }: Drill, millions: number): Promise<void> {
  const keys = millions * 1e6;
  const job = await jobUnderTest(cluster, { guarantee, plans: "delta", partitions: 4 });
  const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "1s", MILLRACE_STATE_MEMORY: "512MiB" });
  const processed = async () => (await rowsIn(job.stateDir)) ?? 0;
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

/** A job at full speed for a while: its memory does not grow. */
export async function soakDrill({ cluster, guarantee, plans, log }: Drill, minutes: number): Promise<void> {
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 4 });
  const run = await job.start();
  const end = performance.now() + minutes * 60_000;
  const samples: number[] = [];
  let written = 0;
  while (performance.now() < end) {
    await writeReadings(cluster, job.input, { from: written, count: SLICE, key: (n) => `phone-${n % 1000}` });
    written += SLICE;
    // as fast as it goes, and not as far ahead as the disk is large
    while (written - ((await rowsIn(job.stateDir)) ?? 0) > 20 * SLICE) {
      assert.equal(run.child.exitCode, null, run.stderr());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    samples.push((await resident(run)).now);
  }
  run.child.kill("SIGTERM");
  assert.equal((await run.ended).code, 0, run.stderr());
  const third = Math.floor(samples.length / 3);
  const most = (from: number) => Math.max(...samples.slice(from, from + third));
  const [middle, last] = [most(third), most(2 * third)];
  log(
    `${written} records in ${minutes} minutes; at most ${mebibytes(middle)} in the second third, ${mebibytes(last)} in the last`,
  );
  assert.ok(last < 1.15 * middle, "memory grew");
}

async function rowsIn(stateDir: string): Promise<number | undefined> {
  try {
    const text = await (await fetch(`${(await readOwner(stateDir))?.url}/metrics`)).text();
    return Number(/^millrace_rows_in_total (\S+)/m.exec(text)?.[1]);
  } catch {
    return undefined;
  }
}
