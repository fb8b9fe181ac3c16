import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import polars from "nodejs-polars";
import { Cluster, groupInstances } from "../../lib/log/index.ts";
import { readAll, type Written } from "../run/job/support.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { until } from "../support/until.ts";
import { asContainer, byNpm } from "./as-container.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { feedPhones, sendPhones } from "./phones.ts";
import { millrace } from "./run-command.ts";

const lib = path.resolve(import.meta.dirname, "../../lib");

test("three workers of a promoted folder, started as its container would be, are one group: every row once; one is ended and the others go on with its state", {
  timeout: 180_000,
}, async () => {
  const servers = await sharedBroker();
  const [source, sink, name] = [uniqueName("phones"), uniqueName("moving"), uniqueName("job")];
  const folder = await temporaryFolder();
  const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
  await writeFile(
    notebook,
    notebookText([
      'import { pl, topic } from "millrace";',
      `const phone = topic(${JSON.stringify(source)}, { key: "device", time: "timestamp" });\n(await phone.collect()).height`,
      `phone.withColumns(pl.col("gForceX").diff(1, "ignore").over("device").alias("delta")).to(${JSON.stringify(sink)}, { key: "device" });`,
    ]),
  );
  await feedPhones(servers, source, 4000);
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  for (const args of [
    ["run", notebook],
    ["promote", notebook, "--out", job],
  ]) {
    const { code, stderr } = await millrace(args, { env });
    assert.equal(code, 0, stderr);
  }
  await mkdir(path.join(job, "node_modules"));
  await symlink(lib, path.join(job, "node_modules", "millrace"));

  const cluster = await Cluster.connect({ bootstrapServers: servers });
  try {
    const named = { ...env, MILLRACE_JOB_NAME: name };
    const containers = [1, 2].map((n) => asContainer(job, path.join(folder, String(n)), named));
    const workers = [...(await Promise.all(containers)), byNpm(job, path.join(folder, "3"), named)];
    const logs = () => workers.map(({ stderr }) => stderr()).join("\n");
    /** The partitions that a worker has counted state of. */
    const partitions = async (worker: (typeof workers)[number]) => {
      const url = await worker.url();
      const text = url === undefined ? "" : await (await fetch(`${url}/metrics`)).text();
      return [...text.matchAll(/^millrace_state_rows\{partition="(\d+)"\}/gm)].map(([, partition]) => partition!);
    };
    const everyHand = async () => {
      const shares = await Promise.all(workers.map(partitions));
      return shares.every((share) => share.length > 0) && shares.flat().length === 4;
    };
    const everyRow = async (what: string, of: typeof workers) => {
      const expected = deltas(await readAll(cluster, source));
      const written = () => readAll(cluster, sink);
      await until(what, async () => (await written()).length >= expected.length, 60_000).catch((error) => {
        throw new Error(`${error.message}\n${logs()}`);
      });
      assert.deepEqual(byDevice((await written()).map(({ value }) => value)), byDevice(expected));
      const shares = await Promise.all(of.map(partitions));
      assert.deepEqual(shares.flat().sort(), ["0", "1", "2", "3"], logs());
      assert.ok(
        shares.every((share) => share.length > 0),
        `each has a share: ${JSON.stringify(shares)}`,
      );
    };
    await until("a share for each", everyHand, 60_000).catch((error) => {
      throw new Error(`${error.message}\n${logs()}`);
    });
    await everyRow("the rows of all three", workers);

    const [leaves, ...stay] = workers;
    leaves!.child.kill("SIGTERM");
    const { code, stderr } = await leaves!.ended;
    assert.equal(code, 0, stderr);
    await sendPhones(cluster, source, 2000);
    // the first new difference of a phone is to the last reading that the worker which left had seen
    await everyRow("the rows of the two that stay", stay);
    for (const { child } of stay) child.kill("SIGTERM");
    for (const { ended } of stay) assert.equal((await ended).code, 0);
    // npm has not ended before the job that it started
    assert.equal((await groupInstances(cluster, name)).size, 0);
  } finally {
    await cluster.close();
  }
});

/** The same program in batch Polars: a device is in one partition, so that its order is the order of offsets. */
function deltas(input: readonly Written[]): Record<string, unknown>[] {
  const rows = input.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset).map(({ value }) => value);
  const frame = polars
    .DataFrame(rows)
    .withColumns(polars.col("gForceX").diff(1, "ignore").over("device").alias("delta"));
  return frame.toRecords().map((row) => ({ ...row, timestamp: new Date(Number(row.timestamp)).toISOString() }));
}

function byDevice(rows: readonly Record<string, unknown>[]): Record<string, unknown[]> {
  const groups: Record<string, unknown[]> = {};
  for (const { device, timestamp, gForceX, delta } of rows) {
    const rounded = typeof delta === "number" ? Number(delta.toFixed(9)) : null;
    const group = groups[device as string] ?? [];
    group.push([timestamp, gForceX, rounded]);
    groups[device as string] = group;
  }
  return groups;
}
