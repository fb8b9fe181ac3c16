import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { Cluster, Fetcher, Producer, partitionByKey } from "../lib/log/index.ts";
import { kafkaStreams, livingKafkaStreams } from "./peers/kafka-streams.ts";
import { promoted, started } from "./peers/millrace.ts";
import type { Command } from "./side-by-side/peer.ts";
import { PhoneMessages } from "./side-by-side/phone-messages.ts";

const HELP = `node bench/main.ts recovery [options]
  Seconds from starting a job again after kill -9 (w2, live) until every partition has written a row made of records that came while it was down, by the
  number of keys in its state: with its state folder, and without it (state from the changelog). Exactly-once, commit interval 100 ms.
  --keys a,b     keys in the state (10000,100000,1000000)
  --peers a,b    of millrace, kafka-streams; both by default
  --session MS   session timeout of both: a killed member's partitions are given away after it (6000, the broker's least; by default Millrace has
                 10000 and Kafka Streams 45000)`;

const PARTITIONS = 4;

interface Job {
  readonly id: string;
  readonly input: string;
  readonly output: string;
  readonly command: Command;
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      keys: { type: "string", default: "10000,100000,1000000" },
      peers: { type: "string", default: "millrace,kafka-streams" },
      session: { type: "string", default: "6000" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const say = (line: string) => console.error(line);
  const peers = values.peers.split(",");
  if (peers.includes("millrace")) await promoted("w2", say);
  if (peers.includes("kafka-streams")) await kafkaStreams.prepare(say);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: say, partitions: PARTITIONS });
  const cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
  try {
    console.log("| keys | peer | with its state folder, s | from the changelog, s | load |\n|---:|---|---:|---:|---:|");
    for (const keys of values.keys.split(",").map(Number)) {
      for (const peer of peers) {
        const id = `bench-recovery-${peer}-${keys}`;
        const [input, output] = [`${id}-in`, `${id}-out`];
        for (const topic of [input, output])
          await cluster.createTopic(topic, { partitions: PARTITIONS, config: { "retention.ms": "-1" } });
        const stateDir = path.join(work, id);
        const run = {
          guarantee: "exactly-once" as const,
          servers: broker.bootstrapServers,
          input,
          output,
          id,
          stateDir,
        };
        const live = { ...run, commitInterval: 100 };
        const command: Command =
          peer === "millrace"
            ? { ...started("w2", live, []), command: process.execPath, args: ["main.ts"] } // npm would be what is killed
            : livingKafkaStreams(live);
        const job = { id, input, output, command: withSession(command, values.session) };
        await mkdir(stateDir);
        const seconds = [await recovery(cluster, job, keys, async () => {})];
        seconds.push(
          await recovery(cluster, job, keys, async () => {
            await rm(stateDir, { recursive: true });
            await mkdir(stateDir);
          }),
        );
        const [kept, lost] = seconds.map((one) => one.toFixed(1));
        console.log(`| ${keys} | ${peer} | ${kept} | ${lost} | ${os.loadavg()[0]!.toFixed(1)} |`);
      }
    }
  } finally {
    await cluster.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}

/** Both peers by the same session: without its folder Millrace is a new member, too, and the killed one is waited for. */
function withSession(command: Command, session: string): Command {
  return { ...command, env: { ...command.env, SESSION_TIMEOUT_MS: session, MILLRACE_SESSION_TIMEOUT: `${session}ms` } };
}

/** One round: the state is filled, the job killed, changed by `between`, started again. */
async function recovery(
  cluster: Cluster,
  { input, output, command }: Job,
  keys: number,
  between: () => Promise<void>,
): Promise<number> {
  const first = launch(command);
  let seen: Seen;
  try {
    await produce(cluster, input, keys);
    seen = await written(cluster, input, output, first, new Map());
    await new Promise((resolve) => setTimeout(resolve, 1000)); // the checkpoint behind the last rows
  } finally {
    first.kill("SIGKILL");
    await first.ended;
  }
  await produce(cluster, input, Math.min(keys, 1000));
  await between();
  const began = performance.now();
  const second = launch(command);
  try {
    await written(cluster, input, output, second, seen);
    return (performance.now() - began) / 1000;
  } finally {
    second.kill("SIGKILL");
    await second.ended;
  }
}

function launch({ command, args, cwd, env }: Command) {
  const child = spawn(command, args, {
    ...(cwd && { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk).slice(-3000);
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const atEnd = () => child.kill("SIGKILL");
  process.once("exit", atEnd);
  void ended.then(() => process.off("exit", atEnd));
  return { kill: (signal: NodeJS.Signals) => child.kill(signal), ended, said: () => said, child };
}

/** One message of each key, in turn. */
async function produce(cluster: Cluster, topic: string, keys: number): Promise<void> {
  const producer = await Producer.create(cluster);
  for (const columns of new PhoneMessages(keys, keys, true).chunks())
    for (const [partition, part] of partitionByKey(columns, PARTITIONS).entries())
      await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
}

/** Partition -> rows seen in it, and the offset behind them. */
type Seen = ReadonlyMap<number, { readonly count: number; readonly next: number }>;

/** Waits until as many committed rows as records are there, in every partition. */
async function written(
  cluster: Cluster,
  input: string,
  output: string,
  job: ReturnType<typeof launch>,
  before: Seen,
): Promise<Seen> {
  const wanted = await cluster.listOffsets(input, "latest");
  const left = new Map([...wanted].filter(([, count]) => count > 0));
  const fetcher = new Fetcher(cluster, { isolation: "read_committed", maxWait: 50 });
  for (const partition of left.keys()) fetcher.assign(output, partition, before.get(partition)?.next ?? 0);
  const seen = new Map(before);
  const deadline = Date.now() + 600_000;
  try {
    while (left.size > 0) {
      if (job.child.exitCode !== null)
        throw new Error(`the job ended with exit code ${job.child.exitCode}:\n${job.said()}`);
      if (Date.now() > deadline) throw new Error(`rows are missing after 600 s:\n${job.said()}`);
      for (const { partition, columns, nextOffset, error } of await fetcher.poll()) {
        if (error !== undefined) throw error;
        const count = (seen.get(partition)?.count ?? 0) + columns.count;
        seen.set(partition, { count, next: nextOffset });
        if (count > wanted.get(partition)!) throw new Error("more rows came out than records went in");
        if (count === wanted.get(partition)!) left.delete(partition);
      }
    }
    return seen;
  } finally {
    await fetcher.close();
  }
}
