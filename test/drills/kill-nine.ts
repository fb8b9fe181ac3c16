import assert from "node:assert/strict";
import type { Cluster } from "../../lib/log/index.ts";
import { readState } from "../../lib/run/job/read-state.ts";
import { assertRepeatsOnly, assertSameRows, expectedRows, rowsOf } from "../run/job/expected.ts";
import { type JobUnderTest, jobUnderTest, phones, produce, readAll } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import { consoleConsumer } from "./console-consumer.ts";

export interface DrillOptions {
  readonly guarantee: "exactly-once" | "at-least-once";
  readonly kills: number;
  /** Records produced between one kill and the next. */
  readonly records: number;
  readonly random: () => number;
  readonly log?: (line: string) => void;
}

/**
 * A job is killed with `kill -9` at random instants, again and again, while its input is being written. Afterwards everything an outsider
 * can see must be as if nothing had happened: exactly-once to the row, at-least-once with repeats only; the state to the
 * row under both, compared with a run over the same input that was never disturbed.
 */
export async function killNineDrill(cluster: Cluster, options: DrillOptions): Promise<void> {
  const { guarantee, kills, records, random, log = () => {} } = options;
  const job = await jobUnderTest(cluster, { guarantee });
  const start = 1_700_000_000_000;
  for (let kill = 0; kill < kills; kill++) {
    const run = await job.start([], { MILLRACE_COMMIT_INTERVAL: "50ms" });
    // written in slices, so that batches, checkpoints and kills fall anywhere
    const slices = 10;
    const producing = (async () => {
      for (let slice = 0; slice < slices; slice++) {
        const first = (kill * slices + slice) * (records / slices);
        await produce(
          cluster,
          job.input,
          phones(records / slices, 7, random, start + (kill * slices + slice) * 10_000, first),
        );
      }
    })();
    // some die while they start or restore, most while they work
    const early = kill % 4 === 3;
    if (!early)
      await until("the job works", () => /partition opened/.test(run.stderr()) || run.child.exitCode !== null, 60_000);
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
  await job.toEnd();

  const undisturbed = await jobUnderTest(cluster, { guarantee, input: job.input });
  await undisturbed.toEnd();
  const expected = expectedRows(await readAll(cluster, job.input));
  const servers = cluster.config.bootstrapServers;
  for (const plan of ["stateless", "delta", "windows"] as const) {
    const [actual, calm] = await Promise.all(
      [job, undisturbed].map(async (one) =>
        rowsOf(await consoleConsumer(servers, `${one.output}-${plan}`, expected[plan].length)),
      ),
    );
    assertSameRows(calm!, expected[plan], `${plan}, undisturbed`);
    const check = guarantee === "exactly-once" ? assertSameRows : assertRepeatsOnly;
    check(actual!, expected[plan], plan);
    log(`${plan}: ${actual!.length} rows, ${expected[plan].length} expected`);
  }
  assert.deepEqual(await stateRows(job), await stateRows(undisturbed), "state");
}

/** Every row of every table of state, as text, in order. */
async function stateRows(job: JobUnderTest): Promise<Record<string, string[]>> {
  const tables = (await readState(job.stateDir, "SHOW TABLES")).rows.map(([name]) => String(name));
  const state: Record<string, string[]> = {};
  for (const table of tables.filter((name) => !name.startsWith("_millrace"))) {
    const { rows } = await readState(job.stateDir, `SELECT * FROM "${table}"`);
    // sums of floats depend on where batches began
    const rounded = rows.map((row) =>
      row.map((cell) => (typeof cell === "number" ? Number(cell.toPrecision(10)) : cell)),
    );
    state[table] = rounded.map((row) => JSON.stringify(row)).sort();
  }
  assert.ok(
    Object.values(state).some((rows) => rows.length > 0),
    "there is state",
  );
  return state;
}
