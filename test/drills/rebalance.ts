import assert from "node:assert/strict";
import path from "node:path";
import { type JobRun, jobUnderTest, temporaryFolder } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import type { Drill } from "./drill.ts";
import { DrillInput } from "./input.ts";
import { verify } from "./verify.ts";

const MOST = 4;

/**
 * Workers join one by one, up to four, and leave again, while the input is being written; the next one comes or goes as soon as the one before
 * has asked for its partitions, so that rebalances fall into restores.
 * @param rounds how often all four come and three go
 * @param replicas standby copies: with them partitions wait for one before they move
 */
export async function rebalanceDrill(
  drill: Drill,
  rounds: number,
  replicas = drill.random() < 0.5 ? "1" : "0",
): Promise<void> {
  const { cluster, guarantee, plans, records, random, outsider, log } = drill;
  const job = await jobUnderTest(cluster, { guarantee, plans, partitions: 8 });
  const input = await DrillInput.open(cluster, job, random);
  const folder = await temporaryFolder();
  log(`standby replicas: ${replicas}`);
  const workers: JobRun[] = [];
  const ended: JobRun[] = [];
  const join = async () => {
    const stateDir = path.join(folder, `worker-${workers.length}`);
    const run = await job.start([], {
      MILLRACE_COMMIT_INTERVAL: "100ms",
      MILLRACE_STANDBY_REPLICAS: replicas,
      MILLRACE_STATE_DIR: stateDir,
    });
    workers.push(run);
    // not until it has restored: the next change of the group may fall into that
    await until("it has joined", () => /job started/.test(run.stderr()) || run.child.exitCode !== null, 60_000);
    await new Promise((resolve) => setTimeout(resolve, random() * 600));
  };
  const leave = async () => {
    const run = workers.pop() as JobRun;
    run.child.kill("SIGTERM");
    ended.push(run);
    await new Promise((resolve) => setTimeout(resolve, random() * 600));
  };
  const comeAndGo = async () => {
    for (let round = 0; round < rounds; round++) {
      while (workers.length < MOST) await join();
      while (workers.length > 1) await leave();
      await Promise.all(ended.map((run) => run.ended)); // they may have held the folders of the next
    }
    await leave();
  };
  await input.write(records, 4);
  await input.writeDuring(comeAndGo(), Math.ceil(records / 20));
  for (const run of ended) {
    const { code, stderr } = await run.ended;
    assert.equal(code, 0, stderr);
  }
  const moves = ended.map((run) => movesOf(run.stderr()));
  const sum = (what: keyof Moves) => moves.reduce((all, one) => all + one[what], 0);
  log(
    `${ended.length} workers came and went: partitions were opened ${sum("opened")} times, given away ${sum("revoked")} times, ${sum("inRestore")} before they were restored`,
  );
  assert.ok(moves.filter(({ opened }) => opened > 0).length > 1, "several workers had partitions");
  assert.ok(sum("revoked") > 0, "partitions moved while their owner worked");
  await job.toEnd();
  await verify(cluster, job, guarantee, log, { outsider });
}

interface Moves {
  opened: number;
  revoked: number;
  /** Of these, partitions that were given away before they were opened. */
  inRestore: number;
}

/** What a worker's log says of its partitions. */
function movesOf(stderr: string): Moves {
  const open = new Set<string>();
  const moves: Moves = { opened: 0, revoked: 0, inRestore: 0 };
  for (const [, one, gone] of stderr.matchAll(
    /partition opened partition=(\d+)|partitions revoked partitions=(\S+)/g,
  )) {
    if (one !== undefined) {
      open.add(one);
      moves.opened++;
      continue;
    }
    for (const partition of gone!.replaceAll('"', "").split(",")) {
      moves.revoked++;
      if (!open.delete(partition)) moves.inRestore++;
    }
  }
  return moves;
}
