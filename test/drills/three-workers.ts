import assert from "node:assert/strict";
import path from "node:path";
import { type JobRun, jobUnderTest, temporaryFolder } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

/**
 * Three workers share a job's partitions, and one after the other, sometimes two at once, is killed with `kill -9` while its input is being
 * written. Some come back at once and resume their membership, some stay away for longer than the session timeout, so that the others
 * take their partitions over.
 */
export async function threeWorkersDrill(drill: Drill, kills: number): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 6 });
  const input = await DrillInput.open(cluster, job, random);
  const folder = await temporaryFolder();
  const replicas = random() < 0.5 ? "1" : "0";
  log(`standby replicas: ${replicas}`);
  const environment = {
    MILLRACE_COMMIT_INTERVAL: "100ms",
    MILLRACE_SESSION_TIMEOUT: "6s",
    MILLRACE_STANDBY_REPLICAS: replicas,
  };
  const start = (worker: number) =>
    job.start([], { ...environment, MILLRACE_STATE_DIR: path.join(folder, `worker-${worker}`) });
  const workers: JobRun[] = [];
  for (let worker = 0; worker < 3; worker++) workers.push(await start(worker));
  const opened = (run: JobRun) => /partition opened/.test(run.stderr());
  await until("one works", () => workers.some(opened), 180_000);

  const mischief = async () => {
    for (let kill = 0; kill < kills; kill++) {
      await pause(random() * 1500);
      const first = Math.floor(random() * 3);
      const victims = random() < 0.25 ? [first, (first + 1) % 3] : [first];
      for (const victim of victims) await killed(workers[victim] as JobRun);
      const away = random() < 0.4 ? 7000 + random() * 2000 : random() * 1000;
      await pause(away);
      for (const victim of victims) workers[victim] = await start(victim);
      await until("one works", () => workers.some(opened), 180_000);
      log(`kill ${kill + 1} of ${kills}: worker ${victims.join(" and ")}, away for ${Math.round(away)} ms`);
    }
  };
  await input.writeDuring(mischief(), Math.ceil(records / 20));
  for (const run of workers) await ended(run);
  await job.toEnd(); // from a state folder of its own: all of the state comes from the changelogs
  await verify(cluster, job, guarantee, log, { outsider });
}

async function killed(run: JobRun): Promise<void> {
  assert.equal(run.child.exitCode, null, `a worker ended by itself:\n${run.stderr()}`);
  run.child.kill("SIGKILL");
  await run.ended;
}

async function ended(run: JobRun): Promise<void> {
  // before it listens, SIGTERM ends it as any process
  await until("it has started", () => /job started/.test(run.stderr()) || run.child.exitCode !== null, 60_000);
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
