import { spawn } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { kafkaJars } from "../kernel/broker/jars.ts";
import { simulatePhone } from "../kernel/simulate/index.ts";
import { Cluster, type FetchedPartition, Fetcher, Producer, partitionByKey } from "../lib/log/index.ts";
import type { ProgramSource } from "../lib/operators/program.ts";
import { sourceNode } from "../lib/plan/nodes/source-node.ts";
import { SourceReader } from "../lib/run/source/index.ts";

const PARTITIONS = 4;
const SCHEMA = { device: "Utf8", timestamp: "Int64", gForceX: "Float64", gForceY: "Float64", gForceZ: "Float64" };

interface Reader {
  readonly name: string;
  /** Reads the whole topic; seconds from the first request to the last record. */
  read(): Promise<number>;
}

/**
 * `node bench/main.ts read [--count 2000000] [--rounds 3] [--json]`: reads one topic (4 partitions, keyed JSON of about 100 bytes) into columns, into
 * typed frames, and with Kafka's own ConsumerPerformance, in turns on the same broker (`KAFKA_BOOTSTRAP_SERVERS`, else an embedded one).
 * The best round of each counts; the first one warms up disk cache and compilers, Java's included as far as it outlives a process.
 */
export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "2000000" },
      rounds: { type: "string", default: "3" },
      json: { type: "boolean" },
    },
  });
  const count = Number(values.count);
  const servers = process.env.KAFKA_BOOTSTRAP_SERVERS;
  const broker =
    servers === undefined ? await EmbeddedBroker.start({ progress: (line) => console.error(line) }) : undefined;
  const bootstrapServers = servers ?? broker!.bootstrapServers;
  const cluster = await Cluster.connect({ bootstrapServers });
  const topic = `bench-read-${process.pid}`;
  try {
    await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
    const written = await produce(cluster, topic, count);
    const readers: Reader[] = [
      { name: "Kafka ConsumerPerformance (Java)", read: () => consumerPerformance(bootstrapServers, topic, count) },
      { name: "millrace: columns", read: () => millrace(cluster, topic, count, ({ columns }) => columns.count) },
      { name: "millrace: typed frames", read: () => typedFrames(cluster, topic, count) },
    ];
    const best = new Map(readers.map(({ name }) => [name, Number.POSITIVE_INFINITY]));
    for (let round = 0; round < Number(values.rounds); round++)
      for (const { name, read } of readers) best.set(name, Math.min(best.get(name)!, await read()));
    const java = best.get(readers[0]!.name)!;
    const results = [...best].map(([name, seconds]) => ({
      name,
      messagesPerSecond: Math.round(count / seconds),
      ratio: java / seconds,
    }));
    if (values.json) console.log(JSON.stringify({ count, producedPerSecond: Math.round(count / written), results }));
    else {
      console.log(
        `${count.toLocaleString("en")} messages, ${PARTITIONS} partitions, load average ${os.loadavg()[0]!.toFixed(1)}`,
      );
      console.log(`written by millrace at ${perSecond(count / written)}, making the messages included`);
      for (const { name, messagesPerSecond, ratio } of results)
        console.log(`${name.padEnd(34)} ${perSecond(messagesPerSecond).padStart(14)} ${ratio.toFixed(2).padStart(6)}x`);
    }
    await cluster.deleteTopic(topic);
  } finally {
    await cluster.close();
    await broker?.stop();
  }
}

async function produce(cluster: Cluster, topic: string, count: number): Promise<number> {
  const begun = performance.now();
  const producer = await Producer.create(cluster, { maxBatchBytes: 100_000 });
  for (const columns of simulatePhone({ count, devices: 1000 }))
    for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
      await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
  return (performance.now() - begun) / 1000;
}

/** Polls until every partition's end; `take` says how many rows it made of what came. */
async function millrace(
  cluster: Cluster,
  topic: string,
  count: number,
  take: (fetched: FetchedPartition) => number,
): Promise<number> {
  const ends = await cluster.listOffsets(topic, "latest");
  const begun = performance.now();
  const fetcher = new Fetcher(cluster);
  for (const partition of ends.keys()) fetcher.assign(topic, partition, 0);
  let rows = 0;
  while (ends.size > 0) {
    for (const fetched of await fetcher.poll()) {
      if (fetched.error !== undefined) throw fetched.error;
      rows += take(fetched);
      if (fetched.nextOffset >= ends.get(fetched.partition)!) ends.delete(fetched.partition);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  await fetcher.close();
  if (rows !== count) throw new Error(`read ${rows} of ${count} messages`);
  return seconds;
}

function typedFrames(cluster: Cluster, topic: string, count: number): Promise<number> {
  const node = sourceNode({
    id: "bench",
    topics: [topic],
    format: "json",
    key: "device",
    time: "timestamp",
    schema: SCHEMA,
  });
  const source: ProgramSource = {
    id: "bench",
    node,
    schema: { ...SCHEMA, timestamp: "Datetime(ms)" },
    columns: Object.keys(SCHEMA),
    needsHeaders: false,
  };
  const reader = new SourceReader(source, SCHEMA);
  return millrace(cluster, topic, count, (fetched) => reader.read(fetched).frame.height);
}

/** Kafka's own measure of its consumer, as it prints it: from the start of fetching, after joining its group. */
async function consumerPerformance(bootstrapServers: string, topic: string, count: number): Promise<number> {
  const tool = ["-cp", path.join(await kafkaJars(), "*"), "org.apache.kafka.tools.ConsumerPerformance"];
  const child = spawn(
    "java",
    [...tool, "--bootstrap-server", bootstrapServers, "--topic", topic, "--messages", String(count)],
    {
      stdio: ["ignore", "pipe", "ignore"],
    },
  );
  let output = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  const [titles, figures] = output
    .trim()
    .split("\n")
    .slice(-2)
    .map((line) => line.split(",").map((cell) => cell.trim()));
  const figure = (title: string) => Number(figures?.[titles?.indexOf(title) ?? -1]);
  if (code !== 0 || figure("data.consumed.in.nMsg") < count)
    throw new Error(`ConsumerPerformance failed (${code}):\n${output}`);
  return figure("fetch.time.ms") / 1000;
}

const perSecond = (rate: number) => `${(rate / 1e6).toFixed(2)} M msg/s`;
