import assert from "node:assert/strict";
import { Producer } from "../../../lib/log/index.ts";
import { byteColumn } from "../../../lib/run/job/samples.ts";
import { jobUnderTest } from "../../run/job/support.ts";
import { until } from "../../support/until.ts";
import type { Drill } from "../drill.ts";
import { DrillInput } from "../input.ts";
import { verify } from "../verify.ts";

/**
 * Another producer leaves a transaction open in the source: committed records behind it are held back from every reader of committed
 * records. The job waits and says so, and goes on once the transaction is aborted (here by its timeout).
 */
export async function openTransactionDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans });
  const input = await DrillInput.open(cluster, job, random);
  await input.write(records, 2);
  await job.toEnd();
  const other = await Producer.create(cluster, { transactionalId: `other-${job.name}`, transactionTimeout: 15_000 });
  other.begin();
  const bytes = [new TextEncoder().encode("never committed")];
  for (let partition = 0; partition < 3; partition++)
    await other.send(job.input, partition, {
      count: 1,
      keys: byteColumn(bytes, false),
      values: byteColumn(bytes, false),
      timestamps: new Float64Array(1).fill(1_700_000_000_000),
    });
  await other.flush();
  await other.close(); // as a process that dies: nobody ends it

  await input.write(records, 2);
  const run = await job.start();
  const url = await until("it serves", () => /url=(\S+)/.exec(run.stderr())?.[1], 60_000);
  const metric = async (name: string) => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return [...text.matchAll(new RegExp(`^${name}\\{[^\n]*} (\\d+)$`, "gm"))].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  };
  await until("what is held back is counted", async () => (await metric("millrace_held_back_records")) > 0);
  await until("the log says so", () => /held back by an open transaction/.test(run.stderr()));
  log(`held back: ${await metric("millrace_held_back_records")} records`);
  await until("the coordinator has aborted it", async () => (await metric("millrace_held_back_records")) === 0, 60_000);
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
