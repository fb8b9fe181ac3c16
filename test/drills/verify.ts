import assert from "node:assert/strict";
import type { Cluster } from "../../lib/log/index.ts";
import { readState } from "../../lib/run/job/read-state.ts";
import { assertRepeatsOnly, assertSameRows, expectedRows, rowsOf } from "../run/job/expected.ts";
import { type JobUnderTest, jobUnderTest, readAll } from "../run/job/support.ts";
import { consoleConsumer } from "./console-consumer.ts";

export type Guarantee = "exactly-once" | "at-least-once";

/** What the jobs of drills compute, unless they say otherwise. */
export const DRILL_PLANS = ["stateless", "delta", "windows"] as const;

/**
 * What must be true after any number of faults: everything an outsider can see is as if nothing had happened. Exactly-once to the row,
 * at-least-once with repeats only; the state to the row under both, compared with a run over the same input that was never disturbed.
 * @param options.outsider whether Kafka's own console consumer reads what came out (the default), else our own reader
 * @returns how many rows were repeats
 */
export async function verify(
  cluster: Cluster,
  job: JobUnderTest,
  guarantee: Guarantee,
  log: (line: string) => void,
  options: { readonly outsider?: boolean } = {},
): Promise<number> {
  const undisturbed = await jobUnderTest(cluster, { guarantee, input: job.input });
  await undisturbed.toEnd();
  const expected = expectedRows(await readAll(cluster, job.input));
  const servers = cluster.config.bootstrapServers;
  let repeats = 0;
  for (const plan of DRILL_PLANS) {
    const [actual, calm] = await Promise.all(
      [job, undisturbed].map(async (one) =>
        rowsOf(
          options.outsider === false
            ? await readAll(cluster, `${one.output}-${plan}`)
            : await consoleConsumer(servers, `${one.output}-${plan}`, expected[plan].length),
        ),
      ),
    );
    assertSameRows(calm!, expected[plan], `${plan}, undisturbed`);
    if (guarantee === "exactly-once") assertSameRows(actual!, expected[plan], plan);
    const again = assertRepeatsOnly(actual!, expected[plan], plan);
    log(`${plan}: ${actual!.length} rows, ${expected[plan].length} expected, ${again} repeats`);
    repeats += again;
  }
  assert.deepEqual(await stateRows(job), await stateRows(undisturbed), "state");
  return repeats;
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
