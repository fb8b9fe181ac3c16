import assert from "node:assert/strict";
import path from "node:path";
import { type Cluster, Fetcher } from "../../lib/log/index.ts";
import { readState } from "../../lib/run/job/read-state.ts";
import { cell } from "../../lib/run/job/samples.ts";
import { type JobRun, jobUnderTest, temporaryFolder, untilOpened } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { writeReadings } from "./readings.ts";

/** Long keys make much state of few records: about this many bytes a key. */
const KEY = 200;
const PARTITIONS = 4;
const SLICE = 20_000;
const SESSION_TIMEOUT = 6000;

/**
 * How long it takes until the first output of a partition that was reassigned to a warm copy, where its state is large: once when its owner leaves, once when
 * it is killed. Half of the keys are of partitions that move.
 * @param gigabytes of state, all partitions together
 */
export async function standbyDrill({ cluster, guarantee, log }: Drill, gigabytes: number): Promise<void> {
  const keys = Math.ceil((gigabytes * 2 ** 30) / KEY);
  const job = await jobUnderTest(cluster, { guarantee, plans: "delta", partitions: PARTITIONS });
  const folder = await temporaryFolder();
  const worker = (name: string) =>
    job.start([], {
      MILLRACE_STANDBY_REPLICAS: "1",
      MILLRACE_SESSION_TIMEOUT: `${SESSION_TIMEOUT}ms`,
      MILLRACE_STATE_DIR: path.join(folder, name),
    });
  const count = async (name: string) =>
    (await readState(path.join(folder, name), "SELECT count(*) FROM delta_by_device")).rows[0]?.[0] as number;

  let written = 0;
  const feed = async (records: number) => {
    for (let left = records; left > 0; left -= SLICE) {
      await writeReadings(cluster, job.input, { from: written, count: Math.min(SLICE, left), key: longKey(keys) });
      written += Math.min(SLICE, left);
    }
  };
  const began = performance.now();
  const first = await worker("first");
  await untilOpened(first);
  await feed(keys);
  await until("all keys are state", async () => (await count("first")) === keys, 3600_000);
  log(`${keys} keys, about ${gigabytes} GB of state, in ${seconds(began)} s`);

  const joined = performance.now();
  const second = await worker("second");
  await until("the second has its share", () => opened(second).length >= PARTITIONS / 2, 3600_000);
  await until(
    "copies of all are up to date",
    () => warm(first) >= PARTITIONS / 2 && warm(second) >= PARTITIONS / 2,
    600_000,
  );
  log(`a second worker had copies and its share after ${seconds(joined)} s, without a pause`);

  for (const [how, signal, away] of [
    ["left", "SIGTERM", 0],
    ["was killed", "SIGKILL", SESSION_TIMEOUT],
  ] as const) {
    const victim = how === "left" ? second : await rejoined(worker, first);
    const moved = new Set(assigned(victim));
    const outputs = await outputsOf(cluster, `${job.output}-delta`, moved);
    let going = true;
    const feeding = (async () => {
      while (going) {
        await feed(200);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    })();
    try {
      await new Promise((resolve) => setTimeout(resolve, 2500)); // killed with a transaction open
      victim.child.kill(signal);
      await victim.ended;
      const gone = performance.now();
      const times = await outputs.beyond(written, gone, first);
      const shown = times.map((ms) => ((ms - away) / 1000).toFixed(1)).join(", ");
      log(
        `a worker ${how}: first outputs of its ${moved.size} partitions ${shown} s after ${away > 0 ? "its session had ended" : "it had ended"}`,
      );
    } finally {
      going = false;
      await feeding;
      await outputs.close();
    }
  }
  first.child.kill("SIGTERM");
  const { code, stderr } = await first.ended;
  assert.equal(code, 0, stderr);
  assert.ok(!/rebuilding/.test(stderr), "no partition was restored from nothing");
}

const longKey = (keys: number) => (n: number) => `phone-${n % keys}-${"x".repeat(KEY - 20)}`;
const seconds = (from: number) => Math.round((performance.now() - from) / 1000);
const opened = (run: JobRun) =>
  [...run.stderr().matchAll(/partition opened partition=(\d+)/g)].map(([, one]) => Number(one));
const warm = (run: JobRun) => run.stderr().split("standby copy is up to date").length - 1;
const assigned = (run: JobRun) => opened(run).slice(-PARTITIONS / 2);

async function rejoined(worker: (name: string) => Promise<JobRun>, first: JobRun): Promise<JobRun> {
  const before = warm(first);
  const run = await worker("second");
  await until("it has its share again", () => opened(run).length >= PARTITIONS / 2, 3600_000);
  await until("and the first has copies", () => warm(first) > before, 600_000);
  return run;
}

/** Waits for committed outputs of each of these partitions that were made of a reading of a number beyond the given one. */
async function outputsOf(cluster: Cluster, topic: string, partitions: ReadonlySet<number>) {
  const fetcher = new Fetcher(cluster, { isolation: "read_committed" });
  const ends = await cluster.listOffsets(topic, "latest", "read_committed");
  for (const partition of partitions) fetcher.assign(topic, partition, ends.get(partition) ?? 0);
  return {
    async beyond(number: number, from: number, survivor: JobRun): Promise<number[]> {
      const seen = new Map<number, number>();
      while (seen.size < partitions.size) {
        assert.ok(performance.now() - from < 120_000, `no output within two minutes:\n${survivor.stderr()}`);
        for (const { partition, columns } of await fetcher.poll()) {
          if (columns.count === 0 || seen.has(partition)) continue;
          const last = Buffer.from(cell(columns.values, columns.count - 1) as Uint8Array).toString();
          if (Number(/"n":(\d+)/.exec(last)?.[1]) >= number) seen.set(partition, performance.now() - from);
        }
      }
      return [...seen.values()];
    },
    close: () => fetcher.close(),
  };
}
