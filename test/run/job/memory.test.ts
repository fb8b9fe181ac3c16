import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Producer } from "../../../lib/log/index.ts";
import { byteColumn } from "../../../lib/run/job/samples.ts";
import { until } from "../../support/until.ts";
import { connect, jobUnderTest } from "./support.ts";

const PARTITIONS = 4;
const BATCHES = 40;
const RECORDS = 1000;
const PADDING = 4000;

test("a job that is never out of work lets go of what it has processed", {
  timeout: 180_000,
  skip: process.platform !== "linux" && "reads /proc",
}, async () => {
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: PARTITIONS, plans: "stateless" });
  const producer = await Producer.create(cluster);
  const bytes = (text: string) => new TextEncoder().encode(text);
  const padding = "p".repeat(PADDING);
  let n = 0;
  for (let batch = 0; batch < BATCHES; batch++)
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const numbers = Array.from({ length: RECORDS }, () => n++);
      await producer.send(job.input, partition, {
        count: RECORDS,
        keys: byteColumn(
          numbers.map(() => bytes("phone-1")),
          false,
        ),
        values: byteColumn(
          numbers.map((one) =>
            bytes(
              JSON.stringify({ device: "phone-1", timestamp: 1_700_000_000_000 + one, x: 1, y: 1, n: one, padding }),
            ),
          ),
          false,
        ),
        timestamps: new Float64Array(RECORDS).fill(1_700_000_000_000),
      });
      await producer.flush();
    }
  await producer.close();

  // no checkpoint and no pause comes in between: nothing but processing makes memory free
  const run = await job.start(["--until", "end", "--json"], { MILLRACE_COMMIT_INTERVAL: "60s" });
  let most = 0;
  const lags = new Set<number>();
  const url = await until("it serves", () => /url=(\S+)/.exec(run.stderr())?.[1], 60_000);
  const watch = setInterval(async () => {
    const status = await readFile(`/proc/${run.child.pid}/status`, "utf8").catch(() => "");
    most = Math.max(most, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024);
  }, 50);
  const look = setInterval(async () => {
    const metrics = await fetch(`${url}/metrics`)
      .then((response) => response.text())
      .catch(() => "");
    for (const [, lag] of metrics.matchAll(/^millrace_lag_records\{.*\} (\d+)$/gm)) lags.add(Number(lag));
  }, 500);
  const { code, stdout, stderr } = await run.ended;
  clearInterval(watch);
  clearInterval(look);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).rowsIn, n);
  assert.ok(
    [...lags].every((lag) => lag <= BATCHES * RECORDS) && lags.size > 2,
    `lag is what is left of a partition: ${[...lags]}`,
  );
  const read = n * PADDING;
  assert.ok(
    most > 0 && most < 0.9 * read,
    `${Math.round(most / 2 ** 20)} MiB for ${Math.round(read / 2 ** 20)} MiB read`,
  );
});
