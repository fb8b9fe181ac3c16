import assert from "node:assert/strict";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { jobUnderTest, untilOpened } from "../../run/job/support.ts";
import { until } from "../../support/until.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";
import { verify } from "../verify.ts";

const jumping = pathToFileURL(path.join(import.meta.dirname, "jumping-clock.ts")).href;

/** The wall clock of the job jumps hours ahead and back under it: nothing may come of it, because event time and intervals know no wall clock. */
export async function clockDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  const run = await job.start([], { NODE_OPTIONS: `--import ${jumping}` });
  await untilOpened(run);
  const jumps = () => run.stderr().split("the clock jumps").length - 1;
  const before = jumps();
  await input.writeDuring(
    until("the clock has jumped", () => jumps() >= before + 6, 60_000),
    Math.ceil(records / 20),
  );
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /back to the last checkpoint/);
  log(`the clock jumped ${jumps()} times, by up to 5 hours each way`);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
