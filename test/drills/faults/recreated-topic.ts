import assert from "node:assert/strict";
import { type JobRun, jobUnderTest } from "../../run/job/support.ts";
import { until } from "../../support/until.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";

/**
 * The source is deleted and made again, with other records, under a running job and while one is stopped: offsets and state of the old topic mean
 * nothing in the new one, so a job with state stops and says so.
 */
export async function recreatedTopicDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, records, random, log } = drill;
  for (const running of [true, false]) {
    const job = await jobUnderTest(cluster, { guarantee, partitions: 1, plans: "delta" });
    const input = await DrillInput.open(cluster, job, random);
    await input.write(records, 2);
    await job.toEnd();
    let run: JobRun | undefined;
    if (running) {
      run = await job.start();
      await until("the job works", () => /partition opened/.test(run?.stderr() ?? ""), 60_000);
    }
    await cluster.deleteTopic(job.input);
    await cluster.createTopic(job.input, { partitions: 1, config: { "retention.ms": "-1" } });
    await input.write(2 * records, 2); // beyond the offset where reading stood
    run ??= await job.start();
    const { code, stderr } = await run.ended;
    assert.notEqual(code, 0, stderr);
    assert.match(
      stderr,
      running
        ? /deleted and created again|does not exist|There is no topic|not in the log/
        : /its group has no committed offsets/,
    );
    assert.match(stderr, /what to do/);
    log(`${running ? "running" : "stopped"}: exit ${code}, ${stderr.trim().split("\n").at(-5)}`);
  }
}
