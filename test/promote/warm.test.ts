import assert from "node:assert/strict";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fetchRanges, heldRanges } from "../../kernel/promote/fetch-ranges.ts";
import { Cluster, Producer } from "../../lib/log/index.ts";
import { byteColumn, cell } from "../../lib/run/job/samples.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { millrace, millraceAgain, runCommand } from "./run-command.ts";

const START = Date.parse("2026-03-01T00:00:00Z");
const lib = path.resolve(import.meta.dirname, "../../lib");

test("a warm job goes on where the notebook was: with its state, and only with what came after", async () => {
  const servers = await sharedBroker();
  const [source, steps, sums] = [uniqueName("source"), uniqueName("steps"), uniqueName("sums")];
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  try {
    await cluster.createTopic(source, { partitions: 1, config: { "retention.ms": "-1" } });
    const folder = await temporaryFolder();
    const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
    await writeFile(
      notebook,
      notebookText([
        'import { pl, topic } from "millrace";',
        `const source = topic(${JSON.stringify(source)}, { key: "k", time: "at" });\n(await source.collect()).height`,
        `source.withColumns(pl.col("x").diff(1, "ignore").over("k").alias("step")).to(${JSON.stringify(steps)});
const sink = source.groupByDynamic({ indexColumn: "at", every: "10s", by: "k", grace: "0s" }).agg(pl.col("x").sum().alias("sum")).to(${JSON.stringify(sums)});`,
      ]),
    );
    const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
    // one record a second: 0 to 14 before, 15 to 24 after
    await produce(cluster, source, 0, 15);
    const ran = await millrace(["run", notebook], { env });
    assert.equal(ran.code, 0, ran.stderr);
    const promoted = await millraceAgain(["promote", notebook, "--out", job, "--warm"], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    await produce(cluster, source, 15, 25);

    await mkdir(path.join(job, "node_modules"));
    await symlink(lib, path.join(job, "node_modules", "millrace"));
    const run = (name: string, more: Record<string, string> = {}) =>
      runCommand(process.execPath, ["main.ts", "--until", "end", "--json"], {
        cwd: job,
        env: { ...env, MILLRACE_JOB_NAME: uniqueName("job"), MILLRACE_STATE_DIR: path.join(folder, name), ...more },
      });
    const warm = await run("warm");
    assert.equal(warm.code, 0, warm.stderr);
    const squares = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => (from + i) ** 2);
    assert.deepEqual(
      await column(cluster, steps, "step"),
      squares(15, 25).map((x, i) => x - (14 + i) ** 2),
    );
    // the window from 10 s holds what the notebook had seen of it, too
    const sum = (from: number, to: number) => squares(from, to).reduce((all, x) => all + x, 0);
    assert.deepEqual(await column(cluster, sums, "sum"), [sum(10, 20)]);

    const cold = await run("cold", { MILLRACE_FROM: "earliest" });
    assert.equal(cold.code, 0, cold.stderr);
    assert.equal((await column(cluster, steps, "step")).length, 10 + 25);
    assert.deepEqual(await column(cluster, sums, "sum"), [sum(10, 20), sum(0, 10), sum(10, 20)]);

    // from an instant: the record of 20 s and all after it, without a row before it to take the difference to
    const [begun, rows] = [new Date(START + 19_500).toISOString(), (await column(cluster, steps, "step")).length];
    const timed = await run("timed", { MILLRACE_FROM: begun });
    assert.equal(timed.code, 0, timed.stderr);
    const since = (await column(cluster, steps, "step")).slice(rows);
    assert.deepEqual(since, [null, ...squares(21, 25).map((x, i) => x - (20 + i) ** 2)]);
    const wrong = await run("wrong", { MILLRACE_FROM: "yesterday" });
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /MILLRACE_FROM is "yesterday"[\s\S]*earliest, latest, an ISO 8601 time/);

    const replayed = await millrace(["replay", job], { env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" } });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
  } finally {
    await cluster.close();
  }
});

test("a warm job of several sources goes on where the notebook was with each of them", async () => {
  const servers = await sharedBroker();
  const [left, right, joined, counts, sums] = ["left", "right", "joined", "counts", "sums"].map(uniqueName) as [
    string,
    string,
    string,
    string,
    string,
  ];
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  try {
    for (const topic of [left, right])
      await cluster.createTopic(topic, { partitions: 2, config: { "retention.ms": "-1" } });
    const folder = await temporaryFolder();
    const [notebook, job] = [path.join(folder, "book.ipynb"), path.join(folder, "job")];
    const cells = (sink: string) =>
      notebookText([
        `import { pl, topic } from "millrace";
const [left, right] = [${JSON.stringify(left)}, ${JSON.stringify(right)}].map((name) => topic(name, { key: "k", time: "at" }));
const other = left.joinAsof(right.select("k", "at", pl.col("x").alias("other")), { by: "k", on: "at" });
(await other.collect()).height`,
        sink,
      ]);
    const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
    // a record a second, those of the right one half a second later: it is behind where the notebook ends
    await produce(cluster, left, 0, 20);
    await produce(cluster, right, 0, 15, 500);
    await writeFile(
      notebook,
      cells(`other.to(${JSON.stringify(joined)});
left.withColumns(pl.col("x").modulo(2).alias("odd")).withColumns(pl.col("x").cumSum().over("odd").alias("sum")).to(${JSON.stringify(sums)}, { key: "odd" });
left.concat(right).groupByDynamic({ indexColumn: "at", every: "10s", by: "k", grace: "0s" }).agg(pl.len().alias("n")).to(${JSON.stringify(counts)});`),
    );
    const ran = await millrace(["run", notebook], { env });
    assert.equal(ran.code, 0, ran.stderr);
    const promoted = await millraceAgain(["promote", notebook, "--out", job, "--warm"], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    await produce(cluster, left, 20, 30);
    await produce(cluster, right, 15, 25, 500);

    await mkdir(path.join(job, "node_modules"));
    await symlink(lib, path.join(job, "node_modules", "millrace"));
    const state = { MILLRACE_JOB_NAME: uniqueName("job"), MILLRACE_STATE_DIR: path.join(folder, "state") };
    const start = () =>
      runCommand(process.execPath, ["main.ts", "--until", "end", "--json"], { cwd: job, env: { ...env, ...state } });
    const warm = await start();
    assert.equal(warm.code, 0, warm.stderr);
    const square = (n: number) => n ** 2;
    // beside the newest of the right one, which the notebook had not read
    const expected = Array.from({ length: 10 }, (_, i) => square(Math.min(24, 19 + i)));
    assert.deepEqual(await column(cluster, joined, "other"), expected);
    assert.deepEqual(await column(cluster, counts, "n"), [20], "what the notebook had seen of the window counts, once");
    // placed anew by another key than the record's
    const sum = (n: number) =>
      Array.from({ length: n / 2 + 1 }, (_, i) => square(n - 2 * i)).reduce((a, b) => a + b, 0);
    assert.deepEqual(
      ((await column(cluster, sums, "sum")) as number[]).sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, i) => sum(20 + i)).sort((a, b) => a - b),
    );
    const again = await start();
    assert.equal(again.code, 0, again.stderr);
    assert.equal((await column(cluster, joined, "other")).length, 10);

    const replayed = await millrace(["replay", job], { env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" } });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    assert.match(replayed.stdout, new RegExp(`${joined}: as cell 1 showed them`));
  } finally {
    await cluster.close();
  }
});

/** Records `{k: "a", at, x: n²}` for n in [from, to), a second apart, `later` ms after the whole second. */
async function produce(cluster: Cluster, topic: string, from: number, to: number, later = 0): Promise<void> {
  const producer = await Producer.create(cluster);
  const numbers = Array.from({ length: to - from }, (_, i) => from + i);
  const bytes = (texts: readonly string[], lines: boolean) =>
    byteColumn(
      texts.map((text) => Buffer.from(text)),
      lines,
    );
  await producer.send(topic, 0, {
    count: numbers.length,
    keys: bytes(
      numbers.map(() => "a"),
      false,
    ),
    values: bytes(
      numbers.map((n) => JSON.stringify({ k: "a", at: START + n * 1000 + later, x: n * n })),
      true,
    ),
    timestamps: Float64Array.from(numbers, (n) => START + n * 1000 + later),
  });
  await producer.flush();
  await producer.close();
}

async function column(cluster: Cluster, topic: string, name: string): Promise<unknown[]> {
  const samples = await fetchRanges(cluster, topic, await heldRanges(cluster, topic, { 0: [0, 1e9], 1: [0, 1e9] }));
  return samples.flatMap(({ columns }) =>
    Array.from(
      { length: columns.count },
      (_, row) => JSON.parse(Buffer.from(cell(columns.values, row)!).toString())[name],
    ),
  );
}
