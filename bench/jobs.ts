import { appendFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { EmbeddedBroker } from "../kernel/broker/embedded-broker.ts";
import { Refusal } from "../lib/error.ts";
import { Cluster } from "../lib/log/index.ts";
import { kafkaStreams } from "./peers/kafka-streams.ts";
import { millrace } from "./peers/millrace.ts";
import { quixStreams } from "./peers/quix-streams.ts";
import { checkOutput } from "./side-by-side/check-output.ts";
import { jobsChart } from "./side-by-side/jobs-chart.ts";
import { measure } from "./side-by-side/measure.ts";
import { GUARANTEES, type JobRun, type Peer } from "./side-by-side/peer.ts";
import { producePhoneMessages } from "./side-by-side/phone-messages.ts";
import { readOutput } from "./side-by-side/read-output.ts";
import { type Result, resultTable } from "./side-by-side/table.ts";
import { WORKLOAD_NAMES, WORKLOADS } from "./side-by-side/workloads.ts";

const HELP = `node bench/main.ts jobs [options]
  Whole jobs side by side: every peer, one after another, over the same topic on one broker, each output checked against batch Polars.
  --count N           messages in the input topic (2000000)
  --short             200,000 messages and at-least-once only: a check more than a figure
  --only w1,w2        workloads (${WORKLOAD_NAMES.join(",")})
  --guarantee G       ${GUARANTEES.join(" or ")}; both by default
  --peers a,b         of kafka-streams, quix-streams, millrace, millrace-2 (two workers); all by default
  --repeat N          runs of each job, in turn with those of the others; the fastest counts (1)
  --devices N         keys (1000)
  --partitions N      of the input and output topics (4)
  --batch-bytes N     most bytes of a record batch of the input (16384, the default of Kafka's Java producer)
  --commit-interval N milliseconds between commits, for all peers (1000)
  --json FILE         appends one line of JSON per job
  --chart FILE        the results as a picture (SVG) as well
  --profile DIR       leaves CPU profiles of the Millrace jobs there (their figures then include profiling)`;

/** Runs the benchmark; exit code 1 when a job failed or its output was wrong. */
export async function main(args: string[]): Promise<void> {
  const options = parse(args);
  if (options === undefined) return console.log(HELP);
  const say = (line: string) => console.error(line);
  for (const peer of options.peers) await peer.prepare(say);
  const work = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
  const broker = await EmbeddedBroker.start({ progress: say, partitions: options.partitions });
  let cluster: Cluster | undefined;
  try {
    cluster = await Cluster.connect({ bootstrapServers: broker.bootstrapServers });
    const results = await runAll(options, broker.bootstrapServers, cluster, work, say);
    console.log(
      `${options.count.toLocaleString("en")} messages, ${options.partitions} partitions, ${options.devices} devices, ` +
        `${os.cpus().length} cores (${os.cpus()[0]?.model}), Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}\n`,
    );
    console.log(resultTable(results, options.count, kafkaStreams.name));
    if (options.chart !== undefined) await writeFile(options.chart, jobsChart(results, options.count));
    if (results.some(({ measured }) => measured === undefined)) process.exitCode = 1;
  } finally {
    await cluster?.close();
    await broker.stop();
    await rm(work, { recursive: true, force: true });
  }
}

async function runAll(
  options: Options,
  servers: string,
  cluster: Cluster,
  work: string,
  say: (line: string) => void,
): Promise<Result[]> {
  const input = "bench-phone";
  const create = (topic: string) =>
    cluster.createTopic(topic, { partitions: options.partitions, config: { "retention.ms": "-1" } });
  await create(input);
  say(`producing ${options.count.toLocaleString("en")} messages …`);
  const { messages, valueBytes } = await producePhoneMessages(cluster, input, options);
  say(`${(valueBytes / options.count).toFixed(1)} bytes per value`);
  const results: Result[] = [];
  for (const workload of options.workloads.map((name) => WORKLOADS[name])) {
    const expected = workload.expected(messages);
    say(`\n${workload.name}: ${workload.title}; ${expected.height.toLocaleString("en")} rows out`);
    for (const guarantee of options.guarantees) {
      // peers take turns, so that a machine that is slower for a while is so for all of them
      const best = new Map<Peer, Result>();
      for (let turn = 1; turn <= options.repeat; turn++) {
        for (const peer of options.peers) {
          const id = `bench-${peer.name}-${workload.name}-${guarantee}-${turn}`;
          const output = `${id}-out`;
          const stateDir = path.join(work, id);
          await mkdir(stateDir);
          await create(output);
          const load = os.loadavg()[0]!;
          const run: JobRun = {
            workload: workload.name,
            guarantee,
            servers,
            input,
            output,
            count: options.count,
            id,
            stateDir,
            commitInterval: options.commitInterval,
          };
          const head = { workload: workload.name, guarantee, peer: peer.name, load };
          let result: Result;
          try {
            const measured = await measure(peer.command(run), 60_000 + options.count / 10);
            checkOutput(workload, await readOutput(cluster, output, workload.output), expected);
            result = { ...head, measured };
          } catch (error) {
            result = { ...head, failure: (error as Error).message };
          }
          say(`  ${guarantee} ${peer.title}: ${told(result, options.count)}`);
          if (options.json !== undefined)
            await appendFile(options.json, `${JSON.stringify({ ...result, count: options.count })}\n`);
          const before = best.get(peer);
          if (before === undefined || isFaster(result, before)) best.set(peer, result);
          await cluster.deleteTopic(output);
          await rm(stateDir, { recursive: true, force: true });
        }
      }
      results.push(...options.peers.map((peer) => best.get(peer)!));
    }
  }
  return results;
}

function told({ measured, failure, load }: Result, count: number): string {
  if (measured === undefined) return `no figure: ${failure}`;
  const busy = load > 0.7 ? `; the machine was not quiet (load ${load.toFixed(1)})` : "";
  const rate = Math.round(count / measured.secondsSinceFirst).toLocaleString("en");
  return `${rate} msg/s, ${measured.secondsSinceFirst} s since the first message, ${measured.wallSeconds.toFixed(1)} s in all; output checked${busy}`;
}

/** A failure is kept: a job that is right only sometimes has no figure. */
const isFaster = (result: Result, best: Result) =>
  result.measured === undefined ||
  (best.measured !== undefined && result.measured.secondsSinceFirst < best.measured.secondsSinceFirst);

type Options = Exclude<ReturnType<typeof parse>, undefined>;

function parse(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string" },
      short: { type: "boolean", default: false },
      only: { type: "string" },
      guarantee: { type: "string" },
      peers: { type: "string" },
      repeat: { type: "string", default: "1" },
      devices: { type: "string", default: "1000" },
      partitions: { type: "string", default: "4" },
      "batch-bytes": { type: "string", default: "16384" },
      "commit-interval": { type: "string", default: "1000" },
      json: { type: "string" },
      chart: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const workloads = chosen("--only", values.only, WORKLOAD_NAMES);
  const all: Record<string, Peer> = {
    "kafka-streams": kafkaStreams,
    "quix-streams": quixStreams,
    millrace: millrace({ workloads, ...(values.profile && { profile: path.resolve(values.profile) }) }),
    "millrace-2": millrace({ workloads, workers: 2 }),
  };
  return {
    count: whole("--count", values.count ?? (values.short ? "200000" : "2000000")),
    workloads,
    guarantees: chosen("--guarantee", values.guarantee ?? (values.short ? "at-least-once" : undefined), GUARANTEES),
    peers: chosen("--peers", values.peers, Object.keys(all)).map((name) => all[name]!),
    repeat: whole("--repeat", values.repeat),
    devices: whole("--devices", values.devices),
    partitions: whole("--partitions", values.partitions),
    batchBytes: whole("--batch-bytes", values["batch-bytes"]),
    commitInterval: whole("--commit-interval", values["commit-interval"]),
    json: values.json,
    chart: values.chart,
  };
}

function chosen<T extends string>(flag: string, text: string | undefined, known: readonly T[]): readonly T[] {
  if (text === undefined) return known;
  const names = text.split(",");
  const unknown = names.filter((name) => !known.includes(name as T));
  if (unknown.length > 0) throw usage(flag, `unknown: ${unknown.join(", ")}`, `choose from ${known.join(", ")}`);
  return names as T[];
}

function whole(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw usage(flag, `"${text}" is not a number above 0`, "give a whole number");
  return value;
}

const usage = (flag: string, what: string, remedy: string) =>
  new Refusal({ code: "WRONG_USAGE", what: `${flag}: ${what}`, remedies: [remedy] });
