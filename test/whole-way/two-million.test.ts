import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import polars from "nodejs-polars"; // the oracle: Polars itself, not Millrace's recorded pl
import { runToEnd } from "../../kernel/demo/child.ts";
import { simulatePhone } from "../../kernel/simulate/index.ts";
import { Cluster, Producer, partitionByKey } from "../../lib/log/index.ts";
import { consoleConsumer } from "../log/java.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";

const repository = path.resolve(import.meta.dirname, "../..");
/** `MILLRACE_LONG_TESTS=1`: the number of the issue. */
const LONG = process.env.MILLRACE_LONG_TESTS === "1";
const ROWS = Number(process.env.MILLRACE_ROWS ?? (LONG ? 2_000_000 : 200_000));
const PARTITIONS = 4;
const DEVICES = 1000;

/** design.md's notebook: the alerts, and beside them every second of every device. */
const NOTEBOOK = [
  'import { topic, param, pl } from "millrace";\n\nconst threshold = param("threshold", 2.0);\nconst phone = topic("PHONES", { key: "device", time: "timestamp" });',
  `const total = phone.withColumns(
  pl.col("gForceX").abs().plus(pl.col("gForceY").abs()).plus(pl.col("gForceZ").abs()).alias("gForceTotal"));
const moving = total.withColumns(pl.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"));`,
  `const perSecond = total.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device", grace: "0s" })
  .agg(pl.col("gForceTotal").mean().alias("mean"), pl.col("gForceTotal").max().alias("max"), pl.len().alias("n"));`,
  'moving.filter(pl.col("gForceTotal").gt(threshold)).to("ALERTS", { key: "device" });',
  'perSecond.to("SECONDS", { key: "device" });',
  "perSecond",
];

test(`the promoted notebook gives exactly what Polars computes in batch, on ${ROWS} phone messages`, async () => {
  const servers = await sharedBroker();
  const names = { PHONES: uniqueName("phones"), ALERTS: uniqueName("alerts"), SECONDS: uniqueName("seconds") };
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-two-million-"));
  try {
    const phones = await producePhones(servers, names.PHONES);

    const notebook = path.join(folder, "phones.ipynb");
    await writeFile(notebook, notebookText(names));
    const env = { ...process.env, KAFKA_BOOTSTRAP_SERVERS: servers };
    const millrace = (...args: string[]) =>
      runToEnd(process.execPath, [path.join(repository, "kernel/cli/main.ts"), ...args], { env, cwd: folder });
    await millrace("run", notebook, "--for", "1s", "--out", notebook);
    const made = path.join(folder, "made");
    await millrace("promote", notebook, "--out", made);
    // the folder runs where it is copied to
    const job = path.join(folder, "elsewhere", "job");
    await mkdir(path.dirname(job));
    await runToEnd("cp", ["-r", made, job]);
    await rm(made, { recursive: true });
    await runToEnd("npm", ["install", "--no-audit", "--no-fund"], { cwd: job });
    const printed = await runToEnd("npm", ["start", "--", "--until", "end", "--json"], {
      cwd: job,
      env: { ...env, MILLRACE_STATE_DIR: path.join(folder, "state"), MILLRACE_JOB_NAME: uniqueName("two-million") },
    });

    const expectedAlerts = alertsOf(phones);
    const expectedSeconds = secondsOf(phones);
    const report = JSON.parse(printed.trim().split("\n").at(-1)!);
    assert.equal(report.rowsIn, ROWS);
    assert.equal(report.rowsOut, expectedAlerts.height + expectedSeconds.height);

    const alerts = await outputOf(names.ALERTS, expectedAlerts.height);
    assertSame(alerts, expectedAlerts, ["device"], ["gForceX", "gForceY", "gForceZ", "gForceTotal", "delta"]);
    const seconds = await outputOf(names.SECONDS, expectedSeconds.height);
    assertSame(seconds, expectedSeconds, ["device", "window_start", "n"], ["mean", "max"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

/** Writes the topic; gives the same messages as one frame, in the order of their partitions. */
async function producePhones(servers: string, topic: string): Promise<polars.DataFrame> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  const producer = await Producer.create(cluster);
  const texts: Buffer[][] = Array.from({ length: PARTITIONS }, () => []);
  try {
    await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
    for (const columns of simulatePhone({ count: ROWS, devices: DEVICES, crashEvery: 500 }))
      for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries()) {
        for (let i = 0; i < part.count; i++)
          texts[partition]!.push(Buffer.from(part.values.bytes.subarray(part.values.starts[i], part.values.ends[i])));
        await producer.send(topic, partition, part);
      }
    await producer.flush();
  } finally {
    await producer.close();
    await cluster.close();
  }
  const newline = Buffer.from("\n");
  const frames = texts.map((values, partition) =>
    polars
      .readJSON(Buffer.concat(values.flatMap((value) => [value, newline])), {
        format: "lines",
        inferSchemaLength: null,
      })
      .withColumns(polars.lit(partition).alias("partition")),
  );
  const force = (axis: string) => polars.col(`gForce${axis}`).abs();
  return polars
    .concat(frames)
    .withColumns(force("X").plus(force("Y")).plus(force("Z")).alias("gForceTotal"))
    .withColumns(polars.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"));
}

const alertsOf = (phones: polars.DataFrame) => phones.filter(polars.col("gForceTotal").gt(2.0));

/** Windows that have closed: the partition has seen their end. Times rise within a partition here, so no row is late. */
function secondsOf(phones: polars.DataFrame): polars.DataFrame {
  const second = polars.col("timestamp").minus(polars.col("timestamp").modulo(polars.lit(1000)));
  const last = polars.col("timestamp").max().over("partition");
  return phones
    .withColumns(second.alias("start"), last.alias("last"))
    .filter(polars.col("start").plus(polars.lit(1000)).ltEq(polars.col("last")))
    .groupBy("device", "start")
    .agg(
      polars.col("gForceTotal").mean().alias("mean"),
      polars.col("gForceTotal").max().alias("max"),
      polars.col("gForceTotal").count().alias("n"),
    )
    .sort(["device", "start"])
    .withColumns(
      polars.col("start").cast(polars.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").alias("window_start"),
    );
}

/** The topic as Kafka's own console consumer reads it, committed records only. */
async function outputOf(topic: string, count: number): Promise<polars.DataFrame> {
  // one more than there should be: the tool then waits, and says on stdout that it waited in vain
  const printed = await consoleConsumer(
    topic,
    count + 1,
    ["print.key=true", "key.separator=\t"],
    ["--isolation-level", "read_committed"],
  );
  const lines = printed.filter((line) => line.includes("\t{"));
  assert.equal(lines.length, count, `records on ${topic}`);
  const keys = lines.map((line) => line.slice(0, line.indexOf("\t")));
  const values = Buffer.from(lines.map((line) => line.slice(line.indexOf("\t") + 1)).join("\n"));
  const frame = polars.readJSON(values, { format: "lines", inferSchemaLength: null });
  assert.deepEqual(frame.getColumn("device").toArray(), keys, "the record key is the device");
  return frame;
}

/** Same rows in the same order per device: exact columns equal, floats to 1e-9 relative. */
function assertSame(actual: polars.DataFrame, expected: polars.DataFrame, exact: string[], floats: string[]): void {
  const inOrder = (frame: polars.DataFrame) =>
    frame
      .withColumns(polars.col("device").cumCount().over("device").alias("nth"))
      .sort(["device", "nth"])
      .select(...exact, ...floats);
  const [a, b] = [inOrder(actual), inOrder(expected)];
  assert.equal(a.height, b.height);
  for (const column of exact) {
    const [x, y] = [a.getColumn(column).toArray(), b.getColumn(column).toArray()];
    for (let i = 0; i < x.length; i++) assert.equal(x[i], y[i], `${column} of row ${i}`);
  }
  for (const column of floats) {
    const [x, y] = [a.getColumn(column).toArray() as number[], b.getColumn(column).toArray() as number[]];
    for (let i = 0; i < x.length; i++)
      if (x[i] !== y[i] && !(Math.abs(x[i]! - y[i]!) <= 1e-9 * Math.max(Math.abs(x[i]!), Math.abs(y[i]!))))
        assert.fail(`${column} of row ${i}: ${x[i]}, Polars says ${y[i]}`);
  }
}

function notebookText(names: Record<string, string>): string {
  const cells = NOTEBOOK.map((source, i) => ({
    cell_type: "code",
    id: `c${i}`,
    metadata: {},
    outputs: [],
    execution_count: null,
    source: source.replace(/PHONES|ALERTS|SECONDS/g, (name) => names[name]!),
  }));
  return JSON.stringify({ cells, metadata: {}, nbformat: 4, nbformat_minor: 5 });
}
