import assert from "node:assert/strict";
import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { readState } from "../../../lib/run/job/read-state.ts";
import { metric } from "../../drills/metric.ts";
import { writeReadings } from "../../drills/readings.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, untilOpened } from "./support.ts";

/** Devices of a round, none of which comes again: 2 s of event time. */
const DEVICES = 20_000;
const APART = 0.1;
const ROUNDS = 24;
/** Those of the last 2 s (`ttl`), those of the open window of 1 s, and the watermark. */
const LIVING = DEVICES + DEVICES / 2 + 1;

test("keys beyond their ttl and closed windows leave memory and disk: state of ever new keys does not grow", {
  timeout: 300_000,
}, async (t) => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "windows,ttl" });
  const run = await job.start();
  await untilOpened(run);
  const bytes = async () => {
    const names = (await readdir(job.stateDir)).filter((name) => name.startsWith("state.duckdb"));
    const sizes = await Promise.all(names.map((name) => stat(path.join(job.stateDir, name)).catch(() => undefined)));
    return sizes.reduce((sum, one) => sum + (one?.size ?? 0), 0);
  };
  const sizes: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const from = round * DEVICES;
    await writeReadings(cluster, job.input, { from, count: DEVICES, key: (n) => `phone-${n}`, apart: APART });
    const done = async () => ((await metric(job.stateDir, "millrace_rows_in_total")) ?? 0) >= from + DEVICES;
    await until(`round ${round}`, done, 60_000);
    const rows = (await metric(job.stateDir, "millrace_state_rows"))!;
    assert.ok(rows <= LIVING, `${rows} rows of state after round ${round}`);
    sizes.push(await bytes());
  }
  run.child.kill("SIGTERM");
  assert.equal((await run.ended).code, 0, run.stderr());
  const tables = await readState(job.stateDir, "SELECT table_name FROM duckdb_tables() WHERE NOT internal");
  let saved = 0;
  for (const [name] of tables.rows)
    saved += Number((await readState(job.stateDir, `SELECT count(*) FROM "${name}"`)).rows[0]![0]);
  assert.ok(saved <= LIVING + 10, `${saved} rows in the file`);
  const half = Math.max(...sizes.slice(0, ROUNDS / 2));
  const end = await bytes();
  t.diagnostic(`${half} bytes at most in the first half, ${end} at the end`);
  assert.ok(end < 2 * half + 2 ** 24, `${end} bytes after ${ROUNDS} rounds, ${half} at most in the first half`);
});
