import assert from "node:assert/strict";
import { readFile, stat } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { JobMetrics } from "../../../lib/run/job/metrics.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, phones, produce, readAll } from "./support.ts";

test("docs/operating.md has every metric, with its kind and labels, and no other", async () => {
  const page = await readFile(path.resolve(import.meta.dirname, "../../../docs/operating.md"), "utf8");
  const documented = [...page.matchAll(/^\| `(millrace_\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, kind, labels]) =>
    [name, kind, labels!.trim()].join(" "),
  );
  const { registry } = new JobMetrics();
  const kept = registry
    .getMetricsAsArray()
    .map((metric: any) =>
      [metric.name, metric.constructor.name.toLowerCase(), (metric.labelNames ?? []).join(", ")].join(" "),
    );
  assert.deepEqual(documented.toSorted(), kept.toSorted());
});

test("the values are those of what was done; state is told to who has the token", { timeout: 120_000 }, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "stateless,windows,ttl" });
  const start = Math.floor(Date.now() / 1000) * 1000 - 100_000;
  const list = phones(600, 5, seeded(2), start);
  const late = phones(7, 7, seeded(3), start, 600); // the windows of the first second have closed by then
  const bad = ["nonsense", '{"x":"fast"}'].map((text) => ({ key: "phone-1", text }));
  await produce(cluster, job.input, [...list, ...late, ...bad]);
  const began = performance.now();
  const run = await job.start([], { MILLRACE_STATE_TOKEN: "secret-of-metrics" });
  const url = await until("it serves", () => /url=(\S+)/.exec(run.stderr())?.[1], 60_000);
  const metrics = async () => await (await fetch(`${url}/metrics`)).text();
  const value = (text: string, name: string) =>
    Number(
      text
        .split("\n")
        .find((line) => line.startsWith(`millrace_${name} `))
        ?.split(" ")[1],
    );
  const all = list.length + late.length + bad.length;
  await until("all is counted", async () => value(await metrics(), "rows_in_total") === all, 60_000);
  // markers of the transaction may reach the outputs after it has ended
  const writtenTo = async (sink: string) => (await readAll(cluster, `${job.output}-${sink}`)).length;
  const written = await until("rows and windows can be read", async () => {
    const counts = [await writtenTo("stateless"), await writtenTo("windows")] as const;
    return counts.every((count) => count > 0) ? counts[0] + counts[1] : undefined;
  });
  // the state file is saved after the commit
  const sizes = async () =>
    await Promise.all(
      ["state.duckdb", "state.duckdb.wal"].map((name) =>
        stat(path.join(job.stateDir, name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
    );
  const saved = async () => value(await metrics(), "checkpoint_save_seconds_count") > 0;
  await until("the state is saved", saved, 30_000);
  const ask = async (sql: string) => (await readState(url, sql, "secret-of-metrics")).rows.flat();
  const tables = (await ask("SHOW TABLES")).filter((name) => !String(name).startsWith("_millrace"));
  const held = async () => {
    const counts = await Promise.all(tables.map((table) => ask(`SELECT count(*) FROM "${table}"`)));
    return counts.flat().reduce((sum: number, count) => sum + Number(count), 0);
  };
  await until(
    "as many rows of state as the file has",
    async () => value(await metrics(), 'state_rows{partition="0"}') === (await held()),
  );
  await until(
    "the size of the file",
    async () => value(await metrics(), "state_bytes") === (await sizes()).reduce((a, b) => a + b),
  );

  const text = await metrics();
  const seconds = (performance.now() - began) / 1000;
  assert.equal(value(text, "rows_out_total"), written);
  assert.equal(value(text, "dead_letters_total"), bad.length);
  assert.equal((await readAll(cluster, `${job.name}-dead-letter`)).length, bad.length);
  assert.equal(value(text, 'late_rows{partition="0"}'), lateOf([...list, ...late]), "rows whose window had closed");
  assert.equal(value(text, "rollbacks_total"), 0);
  assert.equal(value(text, `lag_records{topic="${job.input}",partition="0"}`), 0);
  const newest = Math.max(...list.map(({ timestamp }) => timestamp));
  const delay = value(text, 'watermark_delay_seconds{partition="0"}');
  assert.ok(Math.abs(delay - (Date.now() - newest) / 1000) < 10, `the clock less the largest event time, not ${delay}`);
  for (const part of ["checkpoint_seconds", "checkpoint_save_seconds"]) {
    const [count, sum] = [value(text, `${part}_count`), value(text, `${part}_sum`)];
    assert.ok(count >= 1 && sum > 0 && sum < seconds, `${part}: ${count} in ${sum} s of ${seconds}`);
    assert.equal(value(text, `${part}_bucket{le="+Inf"}`), count, part);
  }

  assert.equal((await fetch(`${url}/state?sql=SELECT%201`)).status, 401);
  await assert.rejects(readState(job.stateDir, "SELECT 1", "another"), /bearer token[\s\S]*MILLRACE_STATE_TOKEN/);

  // a minute later every window of before has closed, and the ttl of every key has passed
  assert.ok((await held()) > 2 * tables.length, `${tables}`);
  await produce(cluster, job.input, phones(1, 1, seeded(4), start + 60_000, 700));
  await until("what is over to leave the state file", async () => (await held()) === tables.length, 60_000);
  for (const table of tables) assert.deepEqual(await ask(`SELECT count(*) FROM "${table}"`), [1], String(table));
  assert.equal(value(await metrics(), 'state_rows{partition="0"}'), tables.length);

  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.ok(!stderr.includes("secret-of-metrics"));
});

/** How many rows come when the one-second window they belong to has closed. */
function lateOf(list: readonly { readonly timestamp: number }[]): number {
  let watermark = 0;
  return list.filter(({ timestamp }) => {
    const isLate = (Math.floor(timestamp / 1000) + 1) * 1000 <= watermark;
    watermark = Math.max(watermark, timestamp);
    return isLate;
  }).length;
}

test("a job that goes on failing says so, which is not restoring; its metrics are there meanwhile", {
  timeout: 240_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "stateless" });
  // whatever the job writes is too large for its topic; the marker of a transaction (78 bytes) is not
  await cluster.createTopic(`${job.output}-stateless`, { partitions: 1, config: { "max.message.bytes": "200" } });
  const run = await job.start();
  const url = await until("it serves", () => /url=(\S+)/.exec(run.stderr())?.[1], 60_000);
  await until("it is ready", async () => (await fetch(`${url}/health/ready`)).ok, 60_000);
  await produce(cluster, job.input, phones(50, 5, seeded(1)));
  const failing = await until(
    "it fails",
    async () => {
      const response = await fetch(`${url}/health/ready`);
      const answer = (await response.json()) as Record<string, unknown>;
      return answer.reason === "failing" ? { ...answer, status: response.status } : undefined;
    },
    60_000,
  );
  assert.equal(failing.status, 503);
  assert.match(String((failing as any).error), /large|200|bytes/i);
  assert.match(await (await fetch(`${url}/metrics`)).text(), /^millrace_rollbacks_total [1-9]/m);
  assert.equal((await fetch(`${url}/health/live`)).status, 200);
  const asked = performance.now();
  run.child.kill("SIGTERM");
  const { code, stderr } = await run.ended;
  assert.equal(code, 0, stderr);
  assert.ok(
    performance.now() - asked < 20_000,
    `within the grace of an orchestrator, not ${performance.now() - asked} ms\n${stderr}`,
  );
});
