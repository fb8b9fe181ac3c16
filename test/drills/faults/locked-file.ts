import assert from "node:assert/strict";
import path from "node:path";
import { jobUnderTest, run as start } from "../../run/job/support.ts";
import { until } from "../../support/until.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";
import { verify } from "../verify.ts";

/** Another process has the state file open when a job starts: a short while is waited for, a long one is one clear block. */
export async function lockedFileDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  await input.write(records, 4);
  await job.toEnd();
  await input.write(records, 4);

  const holder = async () => {
    const held = start([path.join(import.meta.dirname, "hold-file.ts"), path.join(job.stateDir, "state.duckdb")], {});
    await until("the file is held", () => /held/.test(held.stderr()));
    return held;
  };
  const long = await holder();
  const refused = await (await job.start(["--until", "end"])).ended;
  assert.equal(refused.code, 1, refused.stderr);
  assert.match(refused.stderr, /Another process has the state file open[\s\S]*stop the other worker/);
  log(`while it was held: ${/Another process[^\n]*/.exec(refused.stderr)?.[0]}`);
  long.child.kill("SIGKILL");
  await long.ended;

  const short = await holder();
  setTimeout(() => short.child.kill("SIGKILL"), 1500);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
