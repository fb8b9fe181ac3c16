import assert from "node:assert/strict";
import type { Cluster } from "../../lib/log/index.ts";
import { type JobUnderTest, jobUnderTest, untilOpened } from "../run/job/support.ts";
import { recordsWritten } from "../support/records-written.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

/**
 * A job is killed with `kill -9` at random instants, again and again, while its input is being written; once it is killed when outputs have been written
 * that no checkpoint holds, which at-least-once must repeat and exactly-once must not show.
 */
export async function killNineDrill(drill: Drill, kills: number): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  for (let kill = 0; kill < kills; kill++) {
    const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "50ms" });
    const producing = input.write(records);
    producing.catch(() => {}); // told below
    // some die while they start or restore, most while they work
    const early = kill % 4 === 1;
    if (!early) await untilOpened(run);
    await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 1500)));
    assert.equal(run.child.exitCode, null, `the job ended by itself:\n${run.stderr()}`);
    run.child.kill("SIGKILL");
    const { signal, stderr } = await run.ended;
    assert.equal(signal, "SIGKILL", stderr);
    await producing;
    log(
      `kill ${kill + 1} of ${kills}${early ? ", while starting" : ""}${/behind/.test(stderr) ? ", had replayed the changelog" : ""}`,
    );
  }
  await killBeforeCheckpoint(cluster, job, input);
  log("killed with outputs written that no checkpoint held");
  await job.toEnd();
  const repeats = await verify(cluster, job, guarantee, log, { outsider });
  if (guarantee === "at-least-once") assert.ok(repeats > 0, "the drill made the job repeat outputs");
}

/** Kills between the acknowledgement of outputs and the end of the transaction that commits their offsets. */
async function killBeforeCheckpoint(cluster: Cluster, job: JobUnderTest, input: DrillInput): Promise<void> {
  const written = () => recordsWritten(cluster, `${job.output}-delta`);
  const before = await written();
  await input.write(500, 1);
  const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "10m" });
  await until("outputs are in the log", async () => (await written()) >= before + 100, 60_000);
  run.child.kill("SIGKILL");
  await run.ended;
}
