import assert from "node:assert/strict";
import { besideOf, jobUnderTest, untilOpened } from "../run/job/support.ts";
import { recordsWritten } from "../support/records-written.ts";
import { until } from "../support/until.ts";
import type { BrokerDrill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

/** How long the end of a transaction takes, ms. */
const DELAY = 3000;

/**
 * Commits take seconds, and the job is killed with `kill -9` while one is under way: before it happens, or when only its answer is lacking. With
 * at-least-once what comes meanwhile must be worked on and written without waiting for it (where rows do not meet), and count with the next one only.
 */
export async function slowCommitsDrill(drill: BrokerDrill, kills: number): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log, network, servers } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  // where topics meet, or rows go to other tasks, the next ones belong to a transaction too
  const apart = besideOf(job.plans).length === 0 && !job.plans.some((plan) => plan.includes("anew"));
  const goesOn = guarantee === "at-least-once" && apart;
  const written = () => recordsWritten(cluster, `${job.output}-delta`);
  for (let kill = 0; kill < kills; kill++) {
    const run = await job.start([], {
      KAFKA_BOOTSTRAP_SERVERS: servers,
      MILLRACE_COMMIT_INTERVAL: "50ms",
      MILLRACE_SESSION_TIMEOUT: "6s",
    });
    await untilOpened(run);
    network.weather.commitDelay = DELAY;
    const inTheMiddle = async () => {
      const ending = () => network.ends.now > 0;
      await until("a commit is under way", ending, 60_000);
      if (goesOn) {
        // rows of before the commit may still be on their way; what is written a second later, and so many commit intervals, is of after it
        let [began, before, seen, which] = [0, 0, 0, 0];
        await until("rows are written while a commit is under way", async () => {
          const end = await written();
          if (network.ends.ever !== which) [began, which, before] = [performance.now(), network.ends.ever, end];
          else if (performance.now() - began < 1000) before = end;
          else if (ending()) seen = end - before;
          return seen >= 100 && network.ends.ever === which;
        });
        log(`${seen} rows were written in a commit's second and third second`);
      }
      await new Promise((resolve) => setTimeout(resolve, random() * DELAY));
      await until("a commit is under way again", ending, 60_000);
      assert.equal(run.child.exitCode, null, `the job ended by itself:\n${run.stderr()}`);
      run.child.kill("SIGKILL");
    };
    await input.writeDuring(inTheMiddle(), Math.ceil(records / 20));
    const { signal, stderr } = await run.ended;
    assert.equal(signal, "SIGKILL", stderr);
    assert.doesNotMatch(stderr, /back to the last checkpoint/);
    network.calm();
    log(`kill ${kill + 1} of ${kills}, while a commit was under way`);
  }
  await job.toEnd();
  const repeats = await verify(cluster, job, guarantee, log, { outsider });
  if (goesOn) assert.ok(repeats > 0, "the drill made the job repeat outputs");
}
