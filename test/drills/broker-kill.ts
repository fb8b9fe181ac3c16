import assert from "node:assert/strict";
import { jobUnderTest, untilOpened } from "../run/job/support.ts";
import type { BrokerDrill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

/**
 * The broker is killed with `kill -9` under a running job and started again, several times, sometimes after longer than the group's session
 * timeout: commits whose outcome is not known, lost connections, a membership that has ended. The job must come through by itself.
 */
export async function brokerKillDrill(drill: BrokerDrill, kills: number): Promise<void> {
  const { broker, cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "50ms", MILLRACE_SESSION_TIMEOUT: "6s" });
  await untilOpened(run);
  for (let kill = 0; kill < kills; kill++) {
    const producing = input.write(records);
    producing.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, Math.floor(random() * 600)));
    await broker.kill();
    const pause = kill % 3 === 2 ? 8000 : Math.floor(random() * 1000);
    await new Promise((resolve) => setTimeout(resolve, pause));
    await broker.restart();
    await producing;
    assert.equal(run.child.exitCode, null, `the job ended by itself:\n${run.stderr()}`);
    log(`broker killed ${kill + 1} of ${kills}, away for ${pause} ms and its start`);
  }
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  log(`back to the last checkpoint ${stderr.split("back to the last checkpoint").length - 1} times`);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
