import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { jobUnderTest, untilOpened } from "../../run/job/support.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";
import { verify } from "../verify.ts";

/**
 * A second worker is started with the state folder of one that works: it ends with one clear block, and the first does not notice. Then the folder is
 * deleted under the first: it ends, having lost nothing, and what starts next has its state from the changelogs.
 */
export async function stateFolderDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  const first = await job.start();
  await untilOpened(first);
  const second = (await job.start()).ended;
  await input.writeDuring(second, Math.ceil(records / 20));
  const refused = await second;
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /Another process has the state file open[\s\S]*MILLRACE_STATE_DIR/);
  assert.equal(first.child.exitCode, null, first.stderr());
  assert.doesNotMatch(first.stderr(), /back to the last checkpoint/);

  await rm(job.stateDir, { recursive: true });
  await input.writeDuring(first.ended, Math.ceil(records / 20));
  const { code, stderr } = await first.ended;
  assert.equal(code, 1, stderr);
  assert.match(stderr, /The state folder cannot be written[\s\S]*MILLRACE_STATE_DIR/);
  log(`with its folder deleted: ${/The state folder[^\n]*/.exec(stderr)?.[0]}`);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
