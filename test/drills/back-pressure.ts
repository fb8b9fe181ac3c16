import assert from "node:assert/strict";
import { Fetcher } from "../../lib/log/index.ts";
import { cell } from "../../lib/run/job/samples.ts";
import { jobUnderTest, untilOpened } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { BrokerDrill, Drill } from "./drill.ts";
import { metric } from "./metric.ts";
import { writeReadings } from "./readings.ts";
import { mebibytes, resident } from "./resident.ts";

const PARTITIONS = 4;
const DEVICES = 500;
/** Long keys make many bytes of few records: a record has its key and its value. */
const KEY = 1000;
const SLICE = 5000;
/**
 * Bytes that a job may have fetched and not written yet: 16 MiB of answers that wait, one answer of as much that is under way, 32 MiB that the
 * producer holds, and what is being worked on.
 */
const BOUND = 80 * 2 ** 20;

/**
 * What a job writes goes out much slower than its input can be read. It must read no faster than it can write: what it holds stays the same however
 * much waits in the topic, and nothing is lost.
 * @param megabytes of input
 * @param rate bytes a second that produce requests pass at
 * @param same what it holds has not grown while its process answered so often (which a busy machine may make it slow to); then the way is free
 */
export async function backPressureDrill(
  drill: BrokerDrill,
  megabytes: number,
  rate: number,
  same: number,
): Promise<void> {
  const { cluster, guarantee, log, network, servers } = drill;
  const count = Math.ceil((megabytes * 1e6) / (2 * KEY) / SLICE) * SLICE;
  const job = await jobUnderTest(cluster, { guarantee, plans: "delta", partitions: PARTITIONS });
  const key = (n: number) => `phone-${n % DEVICES}-`.padEnd(KEY, "x");
  for (let from = 0; from < count; from += SLICE) await writeReadings(cluster, job.input, { from, count: SLICE, key });

  network.weather.produceRate = rate;
  const before = { ...network.passed };
  const fetched = () => network.passed.fetched - before.fetched;
  const held = () => fetched() - (network.passed.produced - before.produced);
  const run = await job.start([], {
    KAFKA_BOOTSTRAP_SERVERS: servers,
    // a checkpoint waits until all is written: between two there is as much to be read as fits
    MILLRACE_COMMIT_INTERVAL: "5m",
    KAFKA_REQUEST_TIMEOUT_MS: "120000",
  });
  try {
    await untilOpened(run, PARTITIONS);
    let [most, answers] = [0, 0];
    await until(
      "what it holds does not grow any more",
      async () => {
        if (held() > most + 2 ** 20) [most, answers] = [held(), 0];
        if ((await metric(job.stateDir, "millrace_lag_records")) !== undefined) answers++;
        return run.child.exitCode !== null || (most > 2 ** 24 && answers > same);
      },
      240_000,
    );
    assert.equal(run.child.exitCode, null, `the job ended by itself:\n${run.stderr()}`);
    const { most: size } = await resident(run);
    log(
      `at ${mebibytes(rate)} a second at most ${mebibytes(most)} of ${mebibytes(2 * KEY * count)} were fetched and not written; the process stood at most at ${mebibytes(size)}`,
    );
    assert.ok(2 * KEY * count > 1.5 * BOUND, "there is more to read than may be held");
    assert.ok(most < BOUND, `${mebibytes(most)} were fetched and not written`);
    network.calm();
    await until(
      "all is worked on",
      async () =>
        run.child.exitCode !== null ||
        (fetched() > 2 * KEY * count && (await metric(job.stateDir, "millrace_lag_records")) === 0),
      120_000,
    );
  } finally {
    network.calm();
    run.child.kill("SIGTERM");
  }
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  log(`back to the last checkpoint ${stderr.split("back to the last checkpoint").length - 1} times`);
  const seen = await numbersIn(drill, `${job.output}-delta`);
  assert.equal(seen.size, count, "every record is there");
  const repeats = [...seen.values()].reduce((sum, times) => sum + times - 1, 0);
  if (guarantee === "exactly-once") assert.equal(repeats, 0, "once");
  else log(`${repeats} repeats`);
}

/**
 * Of two topics that are read in one order one brings ten thousand times as much event time in as many bytes: its records wait for those of the other. It must
 * not be read to its end meanwhile.
 * @param count records of each
 */
export async function farAheadDrill(drill: Drill, count: number): Promise<void> {
  const { cluster, guarantee, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans: "both", partitions: 1 });
  const key = (n: number) => `phone-${n % DEVICES}`;
  for (const [topic, apart] of [
    [job.input, 10_000],
    [`${job.input}-other`, 1],
  ] as const)
    await writeReadings(cluster, topic, { from: 0, count, key, apart });
  const run = await job.start();
  let most = 0;
  await until(
    "all is worked on",
    async () => {
      most = Math.max(most, (await metric(job.stateDir, "millrace_waiting_records")) ?? 0);
      return run.child.exitCode !== null || (await metric(job.stateDir, "millrace_rows_in_total")) === 2 * count;
    },
    120_000,
  );
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  log(`up to ${most} of ${count} records waited for the other topic`);
  assert.ok(most > 50_000, "records waited");
  assert.ok(most < 0.75 * count, `${most} records waited`);
  const seen = await numbersIn(drill, `${job.output}-both`);
  assert.equal(seen.size, Math.ceil(count / 100), "every record is there");
  assert.ok(
    [...seen.values()].every((times) => times === 2),
    "once of each topic",
  );
}

/** How often each `n` is among the committed records of a topic. */
async function numbersIn({ cluster }: Drill, topic: string): Promise<Map<number, number>> {
  const ends = await cluster.listOffsets(topic, "latest", "read_committed");
  const fetcher = new Fetcher(cluster, { isolation: "read_committed" });
  const open = new Map([...ends].filter(([, end]) => end > 0));
  for (const partition of open.keys()) fetcher.assign(topic, partition, 0);
  const seen = new Map<number, number>();
  while (open.size > 0) {
    for (const { partition, columns, nextOffset } of await fetcher.poll()) {
      for (let i = 0; i < columns.count; i++) {
        const n = Number(/"n":(\d+)/.exec(Buffer.from(cell(columns.values, i) as Uint8Array).toString())?.[1]);
        seen.set(n, (seen.get(n) ?? 0) + 1);
      }
      if (nextOffset >= open.get(partition)!) open.delete(partition);
    }
  }
  await fetcher.close();
  return seen;
}
