import assert from "node:assert/strict";
import { type JobRun, type JobUnderTest, jobUnderTest, untilOpened } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { BrokerDrill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A job that works through the faulty network while `mischief` happens and its input is being written, and must come through by itself. */
async function through(
  drill: BrokerDrill,
  environment: Record<string, string>,
  mischief: (job: JobUnderTest, run: JobRun) => Promise<void>,
): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log, network, servers } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  const run = await job.start([], {
    KAFKA_BOOTSTRAP_SERVERS: servers,
    MILLRACE_COMMIT_INTERVAL: "100ms",
    MILLRACE_SESSION_TIMEOUT: "6s",
    ...environment,
  });
  await untilOpened(run);
  await input.writeDuring(mischief(job, run), Math.ceil(records / 20));
  network.calm();
  assert.equal(run.child.exitCode, null, `the job ended by itself:\n${run.stderr()}`);
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  log(`back to the last checkpoint ${stderr.split("back to the last checkpoint").length - 1} times`);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}

/** Nothing gets through for `milliseconds`, twice; then once more with every connection cut. */
export async function unreachableDrill(drill: BrokerDrill, milliseconds: number): Promise<void> {
  const { network, random } = drill;
  await through(drill, {}, async () => {
    for (const cut of [false, true]) {
      await pause(random() * 1000);
      network.weather.away = true;
      if (cut) network.cut();
      await pause(milliseconds);
      network.cut();
      network.weather.away = false;
      await pause(2000);
    }
  });
}

/** Answers to produce requests come later than they are waited for: what was written may or may not have been. */
export async function produceTimeoutsDrill(drill: BrokerDrill, times: number): Promise<void> {
  const { network, random, log } = drill;
  const before = network.tampered;
  await through(drill, { KAFKA_REQUEST_TIMEOUT_MS: "1500" }, async () => {
    for (let time = 0; time < times; time++) {
      await pause(random() * 1000);
      network.weather.produceDelay = 2500;
      await pause(3000);
      network.weather.produceDelay = 0;
      await pause(3000);
    }
  });
  assert.ok(network.tampered > before, "answers came late");
  log(`${network.tampered - before} answers came late`);
}

/** Answers to produce requests say that the leader is another broker, although the records were written: a retry must not write them twice. */
export async function notLeaderDrill(drill: BrokerDrill, times: number): Promise<void> {
  const { network, random, log } = drill;
  const before = network.tampered;
  await through(drill, {}, async (_, run) => {
    for (let time = 0; time < times; time++) {
      await pause(random() * 300);
      network.weather.notLeader += 1 + Math.floor(random() * 4);
    }
    await until(
      "the answers were altered",
      () => network.weather.notLeader === 0 || run.child.exitCode !== null,
      60_000,
    );
    await pause(500);
  });
  assert.ok(network.tampered - before >= times, "answers were altered");
  log(`${network.tampered - before} answers said NOT_LEADER_OR_FOLLOWER`);
}
