import assert from "node:assert/strict";
import path from "node:path";
import { jobUnderTest, temporaryFolder } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { metric } from "./metric.ts";
import { verify } from "./verify.ts";

/**
 * One of two workers is stopped (SIGSTOP) in the middle of its work for longer than the session timeout, while the other takes over its partitions,
 * and then goes on (SIGCONT) believing that they are its own: what it commits must be refused, and it must find its way back and do its share again.
 */
export async function pausedWorkerDrill(drill: Drill): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 4 });
  const input = await DrillInput.open(cluster, job, random);
  const environment = { MILLRACE_COMMIT_INTERVAL: "100ms", MILLRACE_SESSION_TIMEOUT: "6s" };
  const first = await job.start([], environment);
  const other = path.join(await temporaryFolder(), "other");
  const second = await job.start([], { ...environment, MILLRACE_STATE_DIR: other });
  const opened = (stderr: string) => stderr.split("partition opened").length - 1;
  await until("both have their share", () => opened(first.stderr()) > 1 && opened(second.stderr()) > 1, 120_000).catch(
    (error) => {
      throw new Error(`${error.message}\n${second.stderr()}\nthe first:\n${first.stderr()}`);
    },
  );
  await input.write(records);

  const openedBefore = opened(first.stderr());
  const pause = async () => {
    second.child.kill("SIGSTOP");
    try {
      await until("the first has taken over", () => opened(first.stderr()) > openedBefore, 60_000);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    } finally {
      second.child.kill("SIGCONT");
    }
    await until("the second has noticed", () => /back to the last checkpoint/.test(second.stderr()), 60_000).catch(
      (error) => {
        throw new Error(`${error.message}\n${second.stderr()}\nthe first:\n${first.stderr()}`);
      },
    );
  };
  await input.writeDuring(pause());
  log(`the second worker found: ${/back to the last checkpoint error=(.*)/.exec(second.stderr())?.[1]}`);
  // a partition that is opened may be one that is lost a moment later: what has been committed was its own
  const committed = async () => (await metric(other, "millrace_rows_in_total")) ?? 0;
  const before = await committed();
  const again = until("the second commits records again", async () => (await committed()) > before, 60_000).catch(
    (error) => {
      throw new Error(`${error.message}\n${second.stderr()}\nthe first:\n${first.stderr()}`);
    },
  );
  await input.writeDuring(again, Math.ceil(records / 20));
  log(`the second worker committed ${(await committed()) - before} records after it had come back`);
  for (const run of [second, first]) {
    run.child.kill("SIGTERM");
    const { code, signal, stderr } = await run.ended;
    assert.equal(code, 0, `${signal}\n${stderr}`);
  }
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}
