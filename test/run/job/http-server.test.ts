import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import test from "node:test";
import { Refusal } from "../../../lib/error.ts";
import { sql } from "../../../lib/index.ts";
import { JobServer, type JobServerOptions } from "../../../lib/run/job/http-server.ts";
import { readState } from "../../../lib/run/job/read-state.ts";
import { millrace } from "../../promote/run-command.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, phones, produce } from "./support.ts";

const ANSWER = { columns: ["n"], types: ["INTEGER"], rows: [[1]], truncated: false };
const FREE: JobServerOptions = {
  unready: () => undefined,
  metrics: async () => "up 1\n",
  query: async (sql) => {
    if (sql !== "SELECT 1") throw new Refusal({ code: "BAD_SQL", what: `not ${sql}` });
    return ANSWER;
  },
};

/** The status of a request with headers that `fetch` would not send. */
async function status(url: string, headers: Record<string, string>): Promise<number> {
  return await new Promise((resolve, reject) => {
    http
      .get(url, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode as number);
      })
      .on("error", reject);
  });
}

test("readiness follows the worker; liveness does not; only what is there is answered", async () => {
  let why: { reason: string } | undefined = { reason: "restoring" };
  const server = await JobServer.start({ ...FREE, unready: () => why });
  try {
    const get = async (where: string, method = "GET") => (await fetch(`${server.url}${where}`, { method })).status;
    assert.equal(await get("/health/ready"), 503);
    assert.equal(await get("/health/live"), 200);
    assert.deepEqual(await (await fetch(`${server.url}/health/ready`)).json(), {
      status: "not ready",
      reason: "restoring",
    });
    why = undefined;
    assert.equal(await get("/health/ready"), 200);
    assert.equal(await (await fetch(`${server.url}/metrics`)).text(), "up 1\n");
    const others: [string, string, number][] = [
      ["/", "GET", 404],
      ["/state/../etc/passwd", "GET", 404],
      ["/metrics", "POST", 404],
      ["/state", "DELETE", 404],
    ];
    for (const [where, method, expected] of others) assert.equal(await get(where, method), expected, where);
  } finally {
    await server.close();
  }
});

test("/state without a token: loopback only, and no page of a browser", async (t) => {
  const server = await JobServer.start(FREE);
  try {
    const ask = `${server.url}/state?sql=SELECT%201`;
    const cases: [string, Record<string, string>, number][] = [
      ["loopback", {}, 200],
      ["a page", { origin: "https://example.org" }, 403],
      ["a name that leads here", { host: "rebound.example.org" }, 403],
      ["one that begins like an address of this machine", { host: "127.0.0.1.example.org" }, 403],
      ["one that begins like its name", { host: "localhost.example.org:80" }, 403],
    ];
    for (const [what, headers, expected] of cases) assert.equal(await status(ask, headers), expected, what);
    assert.deepEqual(await (await fetch(ask)).json(), ANSWER);
    const refused = await fetch(`${server.url}/state`, { method: "POST", body: "DROP TABLE t" });
    assert.deepEqual([refused.status, await refused.json()], [400, { code: "BAD_SQL", error: "not DROP TABLE t" }]);
    const long = await fetch(`${server.url}/state`, { method: "POST", body: "x".repeat(70_000) });
    assert.equal(long.status, 400);
  } finally {
    await server.close();
  }
  // on all interfaces: who comes from elsewhere is not answered, whatever it says of itself
  const open = await JobServer.start({ ...FREE, port: 0 });
  try {
    const { port } = new URL(open.url);
    const own = Object.values(os.networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .find(({ family, internal }) => family === "IPv4" && !internal);
    if (own === undefined) return t.diagnostic("no other interface here");
    assert.equal(await status(`http://${own.address}:${port}/state?sql=SELECT%201`, { host: "localhost" }), 403);
    assert.equal(await status(`http://${own.address}:${port}/health/live`, {}), 200);
    assert.equal(await status(`http://127.0.0.1:${port}/state?sql=SELECT%201`, {}), 200);
  } finally {
    await open.close();
  }
});

test("/state with a token: the bearer only, from anywhere", async () => {
  const server = await JobServer.start({ ...FREE, token: "secret" });
  try {
    const ask = `${server.url}/state?sql=SELECT%201`;
    const cases: [Record<string, string>, number][] = [
      [{}, 401],
      [{ authorization: "Bearer wrong!" }, 401],
      [{ authorization: "Bearer secre" }, 401],
      [{ authorization: "secret" }, 401],
      [{ authorization: "Bearer secret" }, 200],
      [{ authorization: "Bearer secret", host: "job.example.org" }, 200],
    ];
    for (const [headers, expected] of cases)
      assert.equal(await status(ask, headers), expected, JSON.stringify(headers));
    assert.equal(await status(`${server.url}/health/live`, {}), 200, "health needs none");
  } finally {
    await server.close();
  }
});

test("a port in use is named", async () => {
  const server = await JobServer.start(FREE);
  try {
    const port = Number(new URL(server.url).port);
    await assert.rejects(JobServer.start({ ...FREE, port }), { code: "PORT_IN_USE" });
  } finally {
    await server.close();
  }
});

test("a running job answers for its state; a killed one's file is read, and never written", {
  timeout: 120_000,
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { plans: "delta,table" });
  await produce(cluster, job.input, phones(700, 7, seeded(5)));
  const run = await job.start();
  const note = await until("owner.json", () =>
    readFile(path.join(job.stateDir, "owner.json"), "utf8").then(
      (text) => JSON.parse(text),
      () => undefined,
    ),
  );
  assert.deepEqual([note.pid, note.job], [run.child.pid, job.name]);
  const metrics = async () => await (await fetch(`${note.url}/metrics`)).text();
  await until("all is counted", async () => /^millrace_rows_in_total 700$/m.test(await metrics()), 60_000);
  assert.match(await metrics(), /^millrace_lag_records\{topic="[^"]+",partition="0"\} 0$/m);
  assert.equal((await fetch(`${note.url}/health/ready`)).status, 200);
  const count = "SELECT count(*) FROM delta_by_device";
  const devices = await until("the checkpoint is in the file", async () => {
    const { rows } = await readState(job.stateDir, count);
    return rows[0]?.[0] === 7 ? rows : undefined;
  });
  assert.deepEqual((await readState(note.url, count)).rows, devices);
  assert.deepEqual((await readState(path.dirname(job.stateDir), count)).rows, devices, "by the job's folder");
  const writing: [string, string][] = [
    ["DELETE FROM delta_by_device", "NOT_READ_ONLY"],
    ["CREATE TABLE t (n INT)", "NOT_READ_ONLY"],
    ["COPY delta_by_device TO '/tmp/t'", "BAD_SQL"], // no file is to be touched
  ];
  for (const [statement, code] of writing)
    await assert.rejects(readState(job.stateDir, statement), { code }, statement);
  const many = await readState(job.stateDir, "SELECT * FROM range(20000)");
  assert.deepEqual([many.rows.length, many.truncated], [10_000, true]);

  // whenever it is asked, while it works: the state and the offsets of one checkpoint
  const whole = "SELECT (SELECT sum(readings) FROM readings), (SELECT sum(next_offset) FROM _millrace_offsets)";
  let all = 700;
  const seen = new Set<number>();
  const more = (async () => {
    for (; seen.size < 4 && all < 70_000; all += 70)
      await produce(cluster, job.input, phones(70, 7, seeded(all), 1_700_000_000_000 + all, all));
  })();
  await until(
    "several checkpoints",
    async () => {
      const [read, offsets] = (await readState(note.url, whole)).rows[0] as [number, number];
      assert.equal(Number(read), Number(offsets), "rows of state and offsets");
      return seen.add(Number(read)).size >= 4;
    },
    60_000,
  );
  await more;
  await until("all of it is saved", async () => Number((await readState(note.url, whole)).rows[0]?.[0]) === all);

  // the command and a notebook's sql: as above, within limits that leave the job as it is
  const ownState = sql.of(path.dirname(job.stateDir));
  assert.deepEqual((await ownState`SELECT sum(readings) AS n FROM readings WHERE device <> ${"none"}`).rows(), [[all]]);
  await assert.rejects(ownState`INSERT INTO readings SELECT * FROM readings`, { code: "NOT_READ_ONLY" });
  await assert.rejects(sql({ job: note.url, rows: 3 })`SELECT * FROM readings`, { code: "TOO_MANY_ROWS" });
  const endless = sql({
    job: note.url,
    timeout: 200,
  })`SELECT sum(a.range * b.range) FROM range(3000000) a, range(1000000) b`;
  await assert.rejects(endless, { code: "STATE_QUERY_TOO_LONG" });
  const [told, refused] = await Promise.all(
    ["SELECT count(*) AS n FROM readings", "INSERT INTO readings SELECT * FROM readings"].map((statement) =>
      millrace(["state", job.stateDir, statement, "--json"]),
    ),
  );
  assert.deepEqual([told!.code, JSON.parse(told!.stdout).rows], [0, [[7]]], told!.stderr);
  assert.deepEqual([refused!.code, refused!.stdout], [2, ""]);
  assert.match(refused!.stderr, /Only reading is allowed here[\s\S]*what to do/);
  assert.equal((await fetch(`${note.url}/health/ready`)).status, 200);

  run.child.kill("SIGKILL");
  await run.ended;
  assert.deepEqual(
    (await readState(job.stateDir, count)).rows,
    devices,
    "owner.json is still there, its process is not",
  );
  await assert.rejects(readState(job.stateDir, "DELETE FROM delta_by_device"), { code: "NOT_READ_ONLY" });
  // another process may have the number since, and does not answer for the job
  const stale = { ...note, pid: process.pid };
  await writeFile(path.join(job.stateDir, "owner.json"), JSON.stringify(stale));
  await assert.rejects(readState(job.stateDir, count), { code: "OWNER_UNREACHABLE" });
  assert.equal((await job.toEnd()).rowsIn, 0);
  await assert.rejects(readFile(path.join(job.stateDir, "owner.json")), { code: "ENOENT" });
});
