import assert from "node:assert/strict";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fetchRanges, heldRanges } from "../../kernel/promote/fetch-ranges.ts";
import { Cluster, Producer, partitionByKey } from "../../lib/log/index.ts";
import { byteColumn, cell } from "../../lib/run/job/samples.ts";
import { sharedBroker, uniqueName } from "../support/broker.ts";
import { seeded } from "../support/seeded.ts";
import { notebookText, temporaryFolder } from "./notebooks.ts";
import { millrace, runCommand } from "./run-command.ts";

const START = Date.parse("2026-03-01T00:00:00Z");
const PARTITIONS = 3;

interface Reading {
  readonly device: string;
  readonly at: number;
  readonly x: number;
  readonly y: number;
}

/** Readings of four devices, every quarter of a second: those of two topics have equal times. */
function readings(count: number, seed: number): Reading[] {
  const random = seeded(seed);
  const whole = (below: number) => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => ({
    device: `d${whole(4)}`,
    at: START + i * 250,
    x: whole(1000) / 4,
    y: whole(50),
  }));
}

interface Row {
  readonly key: string | null;
  readonly value: Record<string, unknown>;
}

const left = readings(300, 5);
const right = readings(200, 6);
const time = (at: number) => new Date(at).toISOString();
const row = (reading: Reading, more: Record<string, unknown> = {}): Row => ({
  key: reading.device,
  value: { ...reading, at: time(reading.at), ...more },
});

/** The newest reading of the device at that time, as both topics tell it. */
const asOf = (rows: readonly Reading[], others: readonly Reading[]) =>
  rows.map((one) =>
    row(one, { other: others.findLast(({ device, at }) => device === one.device && at <= one.at)?.x ?? null }),
  );

const running = new Map<string, number>();
const both = [...left, ...right].sort((a, b) => a.at - b.at); // stable: the left one first
const perWindow = (rows: readonly Reading[], by: "y" | "device") => {
  const counts = new Map<string, number>();
  const last = Math.floor(rows.at(-1)!.at / 10_000); // still open
  for (const one of rows) {
    const window = Math.floor(one.at / 10_000);
    if (window < last) counts.set(`${one[by]} ${window}`, (counts.get(`${one[by]} ${window}`) ?? 0) + 1);
  }
  return [...counts].map(([name, n]) => ({ name: name.split(" ")[0]!, n }));
};

/** What a notebook may do that promotion has to see through; per sink, what an oracle beside Millrace makes of the records. */
const SINKS: Readonly<Record<string, { readonly cell: string; readonly expected: () => readonly Row[] }>> = {
  "a class, a counter in a closure, an enum, a computed file and a module that reads another": {
    cell: `desk.publish(left.filter(pl.col("x").gt(minimum * Level.High).and(pl.col("y").lt(most))), NAME);`,
    expected: () => left.filter(({ x, y }) => x > 3 * 20 && y < 40).map((one) => row(one)),
  },
  "code over columns that closes over all of it": {
    cell: `left.map(({ x, y }) => ({ word: words[y % words.length]!, twice: twice(x) + minimum }), { schema: { word: "Utf8", twice: "Float64" }, keep: ["device"] }).to(NAME, { key: "device" });`,
    expected: () =>
      left.map(({ device, x, y }) => ({
        key: device,
        value: { device, word: ["low", "mid", "högh"][y % 3], twice: 2 * x + 3 },
      })),
  },
  "left as of right": { cell: "beside(left, right).to(NAME, { key });", expected: () => asOf(left, right) },
  "right as of left, which wants equal times the other way round": {
    cell: "beside(right, left).to(NAME, { key });",
    expected: () => asOf(right, left),
  },
  "both, one after the other": {
    cell: `for (const part of [left.concat(right)]) part.withColumns(pl.col("y").cumSum().over("device").alias("sum")).to(NAME, { key });`,
    expected: () =>
      both.map((one) => {
        running.set(one.device, (running.get(one.device) ?? 0) + one.y);
        return row(one, { sum: running.get(one.device) });
      }),
  },
  "windows by a column that is not the key": {
    cell: `counted("y").to(NAME, { key: "y" });`,
    expected: () => perWindow(right, "y").map(({ name, n }) => ({ key: name, value: { y: Number(name), n } })),
  },
  "windows by the key, of the topic that ends first": {
    cell: `counted("device").to(NAME, { key });`,
    expected: () => perWindow(right, "device").map(({ name, n }) => ({ key: name, value: { device: name, n } })),
  },
};

test("a notebook full of oddities: the slice holds what it needs, its bytes are the same anywhere, replay and job give what an oracle does", {
  timeout: 400_000,
}, async () => {
  const servers = await sharedBroker();
  const [one, other] = [uniqueName("left"), uniqueName("right")];
  const topics = Object.keys(SINKS).map(() => uniqueName("out"));
  const folder = await temporaryFolder();
  const book = path.join(folder, "böok");
  await mkdir(path.join(book, "data"), { recursive: true });
  await mkdir(path.join(book, "lib"));
  await writeFile(path.join(book, "data/words.txt"), "low\nmid\nhögh\n");
  await writeFile(path.join(book, "data/unused.txt"), "");
  await writeFile(path.join(book, "limits.json"), '{"factor":2}\n');
  await writeFile(
    path.join(book, "lib/twice.ts"),
    'import limits from "../limits.json" with { type: "json" };\nimport * as base from "./base.ts";\nexport default (n: number): number => base.times(n, limits.factor);\nexport type Unused = never;\n',
  );
  await writeFile(path.join(book, "lib/base.ts"), "export const times = (a: number, b: number): number => a * b;\n");
  const notebook = path.join(book, "a book.ipynb");
  await writeFile(
    notebook,
    notebookText([
      `import { pl, topic, type StreamFrame } from "millrace";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import twice, { type Unused } from "./lib/twice.ts";
const key = "device";
const [left, right] = [${JSON.stringify(one)}, ${JSON.stringify(other)}].map((name) => topic(name, { key, time: "at" }));
for (const frame of [left, right]) console.log((await frame.collect()).height);`,
      `enum Level { Low = 1, High = 20 }
const counter = (() => { let n = 0; return { next: () => ++n }; })();
counter.next();
counter.next();
const minimum = counter.next(); // 3
const words = readFileSync(join("data", "words" + ".txt"), "utf8").trim().split("\\n");
const { most = 40, ...ignored }: { most?: number } = {};
function unused() { return words; }`,
      `const names = ["device"]
;[", x"].forEach((n) => names.push(n.slice(2)))
class Desk { constructor(readonly_: string) { this.key = readonly_; } key: string; publish<T extends StreamFrame>(frame: T, name: string) { return frame.to(name, { key: this.key }); } }
const desk = new Desk(key);
const beside = (a: StreamFrame, b: StreamFrame) => a.joinAsof(b.select(...names.slice(0, 1), "at", pl.col("x").alias("other")), { by: names[0]!, on: "at" });
const counted = (by: string) => right.groupByDynamic({ indexColumn: "at", every: "10s", by }).agg(pl.len().alias("n")).select(by, "n");`,
      ...Object.values(SINKS).map(({ cell }, at) => cell.replace("NAME", JSON.stringify(topics[at]))),
    ]),
  );
  await write(servers, one, left);
  await write(servers, other, right);
  const env = { KAFKA_BOOTSTRAP_SERVERS: servers };
  const run = async (args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) => {
    const done = await millrace(args, { ...options, env: { ...env, ...options.env }, deadline: 200_000 });
    assert.equal(done.code, 0, done.stdout + done.stderr);
  };
  await run(["run", notebook, "--for", "100ms"]);
  const [job, again] = [path.join(folder, "job"), path.join(folder, "elsewhere", "again")];
  await run(["promote", notebook, "--out", job]);
  await mkdir(path.dirname(again));
  await run(["promote", path.join("..", "böok", "a book.ipynb"), "--out", "again"], {
    cwd: path.dirname(again),
    env: { TZ: "Asia/Kathmandu", LANG: "tr_TR.UTF-8", LC_ALL: "tr_TR.UTF-8" },
  });
  const files = await filesOf(job);
  assert.deepEqual(
    [...files.keys()].filter((name) => /^(data|lib|limits)/.test(name)),
    ["data/words.txt", "lib/base.ts", "lib/twice.ts", "limits.json"],
  );
  for (const [name, bytes] of await filesOf(again)) assert.deepEqual(bytes, files.get(name), name);
  assert.doesNotMatch(files.get("main.ts")!.toString(), /unused|collect|Unused/);
  await run(["replay", job], { env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" } });

  await mkdir(path.join(job, "node_modules"));
  await symlink(path.resolve(import.meta.dirname, "../../lib"), path.join(job, "node_modules", "millrace"));
  const ended = await runCommand(process.execPath, ["main.ts", "--until", "end"], {
    cwd: job,
    env: { ...env, MILLRACE_JOB_NAME: uniqueName("job"), MILLRACE_STATE_DIR: path.join(folder, "state") },
  });
  assert.equal(ended.code, 0, ended.stderr);
  for (const [at, [name, { expected }]] of Object.entries(SINKS).entries())
    assert.deepEqual(byKey(await read(servers, topics[at]!)), byKey(expected()), name);
});

async function filesOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
  return new Map(
    await Promise.all(names.map(async (name) => [name, await readFile(path.join(folder, name))] as const)),
  );
}

/** Rows per key in their order. */
function byKey(rows: readonly Row[]): Record<string, unknown[]> {
  const groups: Record<string, unknown[]> = {};
  for (const { key, value } of rows) {
    groups[String(key)] ??= [];
    groups[String(key)]!.push(value);
  }
  return groups;
}

async function write(servers: string, topic: string, rows: readonly Reading[]): Promise<void> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
  const producer = await Producer.create(cluster);
  const columns = {
    count: rows.length,
    keys: byteColumn(
      rows.map(({ device }) => Buffer.from(device)),
      false,
    ),
    values: byteColumn(
      rows.map((reading) => Buffer.from(JSON.stringify(reading))),
      true,
    ),
    timestamps: Float64Array.from(rows, ({ at }) => at),
  };
  for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
    if (part.count > 0) await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
  await cluster.close();
}

async function read(servers: string, topic: string): Promise<Row[]> {
  const cluster = await Cluster.connect({ bootstrapServers: servers });
  const all = Object.fromEntries(Array.from({ length: PARTITIONS }, (_, partition) => [partition, [0, 1e9] as const]));
  const parts = await fetchRanges(cluster, topic, await heldRanges(cluster, topic, all));
  await cluster.close();
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());
  return parts.flatMap(({ columns }) =>
    Array.from({ length: columns.count }, (_, i) => ({
      key: text(cell(columns.keys, i)),
      value: JSON.parse(text(cell(columns.values, i))!),
    })),
  );
}
