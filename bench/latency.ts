import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { start } from "../kernel/demo/child.ts";
import { Cluster, Fetcher, Producer, partitionByKey, type RecordColumns } from "../lib/log/index.ts";
import { kafkaStreams, livingKafkaStreams } from "./peers/kafka-streams.ts";
import { promoted, started } from "./peers/millrace.ts";
import { PhoneMessages } from "./side-by-side/phone-messages.ts";

const HELP = `node bench/main.ts latency [options]
  Milliseconds from producing a record to reading the row that it made (w2: one per record) from the output topic, for committed rows, at a fixed rate.
  The producer, the job, the reader and the broker share the machine. Every record must come out.
  --rate N               messages a second (50000)
  --seconds N            measured, after as long a warm-up (20)
  --commit-interval N    ms (100)
  --guarantee G          at-least-once or exactly-once; both by default
  --peers a,b            of millrace, kafka-streams; both by default`;

const PARTITIONS = 4;
const DEVICES = 1000;
const TICK = 10;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rate: { type: "string", default: "50000" },
      seconds: { type: "string", default: "20" },
      "commit-interval": { type: "string", default: "100" },
      peers: { type: "string", default: "millrace,kafka-streams" },
      guarantee: { type: "string", default: "at-least-once,exactly-once" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [rate, seconds, commitInterval] = [values.rate, values.seconds, values["commit-interval"]].map(Number) as [
    number,
    number,
    number,
  ];
  const say = (line: string) => console.error(line);
  const peers = values.peers.split(",");
  if (peers.includes("millrace")) await promoted("w2", say);
  if (peers.includes("kafka-streams")) await kafkaStreams.prepare(say);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: say, partitions: PARTITIONS });
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  try {
    console.log("| guarantee | peer | messages/s | commit interval | p50 ms | p99 ms | greatest ms | load |");
    console.log("|---|---|---:|---:|---:|---:|---:|---:|");
    const guarantees = values.guarantee.split(",") as ("at-least-once" | "exactly-once")[];
    for (const [guarantee, peer] of guarantees.flatMap((one) => peers.map((peer) => [one, peer] as const))) {
      const id = `bench-latency-${peer}-${guarantee}`;
      const [input, output] = [`${id}-in`, `${id}-out`];
      for (const topic of [input, output])
        await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
      const stateDir = path.join(work, id);
      await mkdir(stateDir);
      const run = { guarantee, servers: broker.bootstrapServers, input, output, id, stateDir, commitInterval };
      const { command, args, cwd, env } = peer === "millrace" ? started("w2", run, []) : livingKafkaStreams(run);
      const job = start(command, args, { ...(cwd && { cwd }), env: { ...process.env, ...env } });
      const ended = job.exit.then((code) => {
        throw new Error(`the job ended with exit code ${code}:\n${job.stderr().slice(-2000)}`);
      });
      ended.catch(() => {});
      const taken = await Promise.race([ended, measureLatency(cluster, { input, output, rate, seconds })]);
      await job.stop();
      const at = (share: number) => taken[Math.min(taken.length - 1, Math.floor(share * taken.length))]!.toFixed(0);
      console.log(
        `| ${guarantee} | ${peer} | ${rate} | ${commitInterval} ms | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${os.loadavg()[0]!.toFixed(1)} |`,
      );
    }
  } finally {
    await cluster.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}

interface Load {
  readonly input: string;
  readonly output: string;
  readonly rate: number;
  readonly seconds: number;
}

/** The latencies of the second half of the records, sorted. */
async function measureLatency(cluster: Cluster, { input, output, rate, seconds }: Load): Promise<Float64Array> {
  const perTick = Math.max(1, Math.round((rate * TICK) / 1000));
  const count = rate * seconds * 2;
  const reading = read(cluster, output, count);
  const producer = await Producer.create(cluster);
  const chunks = new PhoneMessages(Math.min(count, 1_000_000), DEVICES).chunks(perTick);
  const ready = [...chunks].filter((chunk) => chunk.count === perTick);
  const begun = performance.now();
  for (let sent = 0, tick = 0; sent < count; tick++) {
    const wait = begun + tick * TICK - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const chunk = ready[tick % ready.length]!;
    const size = Math.min(perTick, count - sent);
    const columns: RecordColumns = { ...chunk, count: size, timestamps: new Float64Array(size).fill(Date.now()) };
    for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
      await producer.send(input, partition, part);
    sent += size;
  }
  await producer.flush();
  await producer.close();
  const all = await reading;
  return all.subarray(count / 2).sort();
}

async function read(cluster: Cluster, topic: string, count: number): Promise<Float64Array> {
  const fetcher = new Fetcher(cluster, { isolation: "read_committed" });
  for (let partition = 0; partition < PARTITIONS; partition++) fetcher.assign(topic, partition, 0);
  const latencies = new Float64Array(count);
  let at = 0;
  let deadline = Date.now() + 60_000;
  while (at < count) {
    const fetched = await fetcher.poll();
    const now = Date.now();
    if (fetched.length > 0) deadline = now + 60_000;
    else if (now > deadline) throw new Error(`${at} of ${count} rows came out`);
    for (const { columns, error } of fetched) {
      if (error !== undefined) throw error;
      if (at + columns.count > count) throw new Error("more rows came out than records went in");
      for (const time of columns.timestamps) latencies[at++] = now - time;
    }
  }
  await fetcher.close();
  return latencies;
}
