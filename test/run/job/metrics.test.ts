import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { JobMetrics } from "../../../lib/run/job/metrics.ts";
import { seeded } from "../../support/seeded.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest, phones, produce } from "./support.ts";

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
