import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { start } from "../kernel/demo/child.ts";
import { Cluster, Fetcher, groupInstances, Producer, partitionByKey } from "../lib/log/index.ts";
import { kafkaStreams, livingKafkaStreams } from "./peers/kafka-streams.ts";
import { promoted, started } from "./peers/millrace.ts";
import { PhoneMessages } from "./side-by-side/phone-messages.ts";

const HELP = `node bench/main.ts start [options]
  Seconds from starting a job (\`npm start\`; for Kafka Streams \`java\`) until what it made of a record that lay there is committed and read (w2, commit interval 100 ms): of a
  job that starts for the first time, which makes its topics, and of one that was stopped by SIGTERM.
  --repeat N             jobs; the median counts (5)
  --guarantee G          at-least-once or exactly-once; exactly-once by default
  --peers a,b            of millrace, kafka-streams; both by default`;

const PARTITIONS = 4;
const PATIENCE = 60_000;

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      repeat: { type: "string", default: "5" },
      guarantee: { type: "string", default: "exactly-once" },
      peers: { type: "string", default: "millrace,kafka-streams" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const say = (line: string) => console.error(line);
  const peers = values.peers.split(",");
  const guarantee = values.guarantee as "at-least-once" | "exactly-once";
  if (peers.includes("millrace")) await promoted("w2", say);
  if (peers.includes("kafka-streams")) await kafkaStreams.prepare(say);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: say, partitions: PARTITIONS });
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  const producer = await Producer.create(cluster);
  try {
    const seconds = new Map(peers.map((peer) => [peer, { first: [] as number[], again: [] as number[] }]));
    for (let round = 0; round < Number(values.repeat); round++)
      for (const peer of peers) {
        const id = `bench-start-${peer}-${round}`;
        const [input, output, stateDir] = [`${id}-in`, `${id}-out`, path.join(work, id)];
        await mkdir(stateDir);
        for (const topic of [input, output]) await cluster.createTopic(topic, { partitions: PARTITIONS });
        const run = { guarantee, servers: broker.bootstrapServers, input, output, id, stateDir, commitInterval: 100 };
        const { command, args, cwd, env } = peer === "millrace" ? started("w2", run, []) : livingKafkaStreams(run);
        const launch = () => start(command, args, { ...(cwd && { cwd }), env: { ...process.env, ...env } });
        for (const [which, rows] of [
          ["first", 1],
          ["again", 2],
        ] as const) {
          await produceOne(producer, input);
          const began = performance.now();
          const job = launch();
          await written(cluster, output, rows).catch((error) => {
            throw new Error(`${error.message}\n${job.stderr().slice(-2000)}`);
          });
          seconds.get(peer)![which].push((performance.now() - began) / 1000);
          await job.stop();
          await left(cluster, id); // npm ends before what it started
        }
      }
    console.log("| peer | first start, s | after SIGTERM, s | load |\n|---|---:|---:|---:|");
    for (const [peer, { first, again }] of seconds)
      console.log(`| ${peer} | ${median(first)} | ${median(again)} | ${os.loadavg()[0]!.toFixed(1)} |`);
  } finally {
    await producer.close();
    await cluster.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}

/** One record, always to the same partition. */
async function produceOne(producer: Producer, topic: string): Promise<void> {
  const [columns] = [...new PhoneMessages(1, 1).chunks(1)];
  for (const [partition, part] of partitionByKey(columns!, PARTITIONS).entries())
    await producer.send(topic, partition, part);
  await producer.flush();
}

/** Resolves once so many committed rows are in a topic. */
async function written(cluster: Cluster, topic: string, rows: number): Promise<void> {
  const fetcher = new Fetcher(cluster, { isolation: "read_committed", maxWait: 20 });
  for (let partition = 0; partition < PARTITIONS; partition++) fetcher.assign(topic, partition, 0);
  const deadline = performance.now() + PATIENCE;
  try {
    for (let seen = 0; seen < rows; ) {
      if (performance.now() > deadline) throw new Error(`${seen} of ${rows} rows came within a minute`);
      for (const { columns, error } of await fetcher.poll()) {
        if (error !== undefined) throw error;
        seen += columns.count;
      }
    }
  } finally {
    await fetcher.close();
  }
}

/** Resolves once nobody is in the group; a Kafka Streams job does not leave it when it ends, and is taken for dead later. */
async function left(cluster: Cluster, group: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while ((await groupInstances(cluster, group)).size > 0 && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!.toFixed(2);
