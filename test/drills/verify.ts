import assert from "node:assert/strict";
import type { Cluster } from "../../lib/log/index.ts";
import { PLACED_STORE } from "../../lib/run/job/placed-store.ts";
import { readState } from "../../lib/run/job/read-state.ts";
import { READ_STORE } from "../../lib/run/job/read-store.ts";
import { assertRepeatsOnly, assertSameRows, expectedRows, type Row, rowsOf } from "../run/job/expected.ts";
import { expectedMeetings, isMeeting } from "../run/job/expected-meetings.ts";
import { besideOf, type JobUnderTest, jobUnderTest, readAll } from "../run/job/support.ts";
import { until } from "../support/until.ts";
import { consoleConsumer } from "./console-consumer.ts";
import type { Drill } from "./drill.ts";

export type Guarantee = "exactly-once" | "at-least-once";

/**
 * What must be true after any number of faults: everything an outsider can see is as if nothing had happened. Exactly-once to the row,
 * at-least-once with repeats only; the state to the row under both, compared with a run over the same input that was never disturbed.
 * @param options.outsider whether Kafka's own console consumer reads what came out (the default), or only that of one plan, or nothing: else our own reader
 * @returns how many rows were repeats
 */
export async function verify(
  cluster: Cluster,
  job: JobUnderTest,
  guarantee: Guarantee,
  log: (line: string) => void,
  options: { readonly outsider?: Drill["outsider"] } = {},
): Promise<number> {
  const undisturbed = await jobUnderTest(cluster, { guarantee, input: job.input, plans: job.plans.join(",") });
  await undisturbed.toEnd();
  const expected = await expectedOf(cluster, job);
  const servers = cluster.config.bootstrapServers;
  let repeats = 0;
  for (const plan of job.plans) await settled(cluster, `${job.output}-${plan}`);
  for (const plan of job.plans) {
    const wanted = expected[plan]!;
    const [actual, calm] = await Promise.all(
      [job, undisturbed].map(async (one) =>
        rowsOf(
          options.outsider === false || (options.outsider === "one" && plan !== job.plans[0])
            ? await readAll(cluster, `${one.output}-${plan}`)
            : await consoleConsumer(servers, `${one.output}-${plan}`, wanted.length),
        ),
      ),
    );
    const order = UPDATED.has(plan)
      ? (rows: readonly Row[]) => lastOfEach(rows, guarantee)
      : UNORDERED.has(plan)
        ? inAnyOrder
        : (rows: readonly Row[]) => rows;
    assert.ok(wanted.length > 0, `${plan}: something is expected`);
    assertSameRows(order(calm!), order(wanted), `${plan}, undisturbed`);
    if (guarantee === "exactly-once") assertSameRows(order(actual!), order(wanted), plan);
    const again = assertRepeatsOnly(order(actual!), order(wanted), plan);
    log(`${plan}: ${actual!.length} rows, ${wanted.length} expected, ${again} repeats`);
    repeats += again;
  }
  assert.deepEqual(await stateRows(job), await stateRows(undisturbed), "state");
  return repeats;
}

/** A worker that died without a successor leaves its transaction open: what comes after it is not seen until it has timed out. */
async function settled(cluster: Cluster, topic: string): Promise<void> {
  await until(
    `the transactions of ${topic} to end`,
    async () => {
      const [seen, written] = await Promise.all([
        cluster.listOffsets(topic, "latest", "read_committed"),
        cluster.listOffsets(topic, "latest"),
      ]);
      return [...written].every(([partition, end]) => seen.get(partition) === end);
    },
    120_000,
  );
}

/** What the verifier knows of these is which rows there are, not which of a key comes first. */
const UNORDERED: ReadonlySet<string> = new Set(["halves", "pairs"]);

/** Rows that replace the one before them of their key and window: the last one says what there is. */
const UPDATED: ReadonlySet<string> = new Set(["pairs-anew"]);

/** At-least-once may repeat an earlier one behind it, where a worker wrote that was taken for dead: the one that holds most. */
function lastOfEach(rows: readonly Row[], guarantee: Guarantee): Row[] {
  const last = new Map<string, Row>();
  for (const row of rows) {
    const window = `${row[0]} ${row[2].window_start}`;
    const before = last.get(window);
    if (before !== undefined && guarantee === "at-least-once" && Number(before[2].count) > Number(row[2].count))
      continue;
    last.set(window, row);
  }
  return [...last.values()].sort((a, b) => a[1] - b[1]);
}

function inAnyOrder(rows: readonly Row[]): Row[] {
  const text = ([key, timestamp, value]: Row) => JSON.stringify([key, value.n, value.n_right, timestamp]);
  return rows
    .map((row) => [text(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row);
}

/** What static Polars, and DuckDB where rows meet, make of the input. */
async function expectedOf(cluster: Cluster, { input, plans }: JobUnderTest): Promise<Record<string, readonly Row[]>> {
  const records = await readAll(cluster, input);
  const beside = async (name: string) =>
    besideOf(plans).includes(name) ? await readAll(cluster, `${input}-${name}`) : [];
  const meetings = await expectedMeetings(
    { input: records, other: await beside("other"), models: await beside("models") },
    plans.filter(isMeeting),
  );
  return { ...expectedRows(records), ...meetings };
}

// how far a worker has read what others sent is no result: it says offsets of a topic between them
/** Columns that number rows in the order of their coming, anew after a restart when none of them is held any more. */
const NUMBERS = "['row', '_first', '_last']";

/** What is asked of state has a limit of rows by default, and what lies beyond it would not be compared. */
const ALL = { rows: 10_000_000, time: 120_000 };

/** Every row of every table of state, as text, in order. */
async function stateRows(job: JobUnderTest): Promise<Record<string, string[]>> {
  const tables = (await readState(job.stateDir, "SHOW TABLES")).rows.map(([name]) => String(name));
  const state: Record<string, string[]> = {};
  const offsets = [PLACED_STORE.name, READ_STORE.name];
  for (const table of tables.filter((name) => !name.startsWith("_millrace") && !offsets.includes(name))) {
    const query = `SELECT COLUMNS(c -> NOT list_contains(${NUMBERS}, c)) FROM "${table}"`;
    const { rows } = await readState(job.stateDir, query, undefined, { limits: ALL });
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
