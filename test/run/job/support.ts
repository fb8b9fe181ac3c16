import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { after } from "node:test";
import { Cluster, Fetcher, Producer, partitionByKey, UnreachableBroker } from "../../../lib/log/index.ts";
import { byteColumn, cell } from "../../../lib/run/job/samples.ts";
import { sharedBroker, uniqueName } from "../../support/broker.ts";
import { until } from "../../support/until.ts";

export interface Phone {
  readonly device: string;
  readonly timestamp: number;
  readonly x: number;
  readonly y: number;
  readonly n: number;
}

export interface Written {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: any;
  readonly headers: Record<string, string>;
}

const clusters: Cluster[] = [];
const folders: string[] = [];
const children = new Set<ChildProcess>();
after(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const cluster of clusters) await cluster.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function connect(): Promise<Cluster> {
  const cluster = await Cluster.connect({ bootstrapServers: await sharedBroker() });
  clusters.push(cluster);
  return cluster;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-job-"));
  folders.push(folder);
  return folder;
}

/** Phones that move: `count` readings of `devices` phones from `start` on, 20 ms apart each, in the order of time. */
export function phones(
  count: number,
  devices: number,
  random: () => number,
  start = 1_700_000_000_000,
  first = 0,
): Phone[] {
  return Array.from({ length: count }, (_, i) => ({
    device: `phone-${(first + i) % devices}`,
    timestamp: start + Math.floor(i / devices) * 20 + Math.floor(random() * 15),
    x: random() * 4 - 2,
    y: random() * 4 - 2,
    n: first + i,
  }));
}

const awayForNow = (error: unknown): undefined => {
  if (!(error instanceof UnreachableBroker)) throw error;
};

/** Writes values as JSON, placed by key. @param timestamp of the records, ms; the rows' own times are in the values */
export async function produce(
  cluster: Cluster,
  topic: string,
  records: readonly (Phone | { key: string | null; text: string | null; header?: string })[],
  timestamp = 1_700_000_000_000,
): Promise<void> {
  const producer = await Producer.create(cluster);
  // a drill may have ended the broker, which takes its time to start on a busy machine
  const metadata = await until("the broker answers", () => cluster.metadata([topic]).catch(awayForNow), 120_000);
  const count = metadata.get(topic)?.partitions.length ?? 0;
  const bytes = (text: string) => new TextEncoder().encode(text);
  const rows = records.map((one) => ("text" in one ? one : { key: one.device, text: JSON.stringify(one) }));
  const columns = {
    count: rows.length,
    keys: byteColumn(
      rows.map(({ key }) => (key === null ? null : bytes(key))),
      false,
    ),
    values: byteColumn(
      rows.map(({ text }) => (text === null ? null : bytes(text))),
      false,
    ),
    timestamps: new Float64Array(rows.length).fill(timestamp),
    headers: rows.map((row) =>
      "header" in row ? [{ key: bytes("trace"), value: bytes(row.header as string) }] : undefined,
    ),
  };
  for (const [partition, part] of partitionByKey(columns, count).entries()) await producer.send(topic, partition, part);
  await producer.flush();
  await producer.close();
}

/** Every committed record of a topic. */
export async function readAll(cluster: Cluster, topic: string): Promise<Written[]> {
  const ends = await cluster.listOffsets(topic, "latest", "read_committed");
  const starts = await cluster.listOffsets(topic, "earliest");
  const fetcher = new Fetcher(cluster, { isolation: "read_committed", headers: true });
  const open = new Map([...ends].filter(([partition, end]) => end > (starts.get(partition) ?? 0)));
  for (const partition of open.keys()) fetcher.assign(topic, partition, starts.get(partition) ?? 0);
  const written: Written[] = [];
  const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());
  while (open.size > 0) {
    for (const { partition, columns, nextOffset } of await fetcher.poll()) {
      for (let i = 0; i < columns.count; i++) {
        const value = text(cell(columns.values, i));
        written.push({
          partition,
          offset: columns.offsets[i] as number,
          timestamp: columns.timestamps[i] as number,
          key: text(cell(columns.keys, i)),
          value: value === null ? null : parsed(value),
          headers: Object.fromEntries(
            (columns.headers?.[i] ?? []).map(({ key, value }) => [text(key) as string, text(value) as string]),
          ),
        });
      }
      if (nextOffset >= (open.get(partition) ?? 0)) open.delete(partition);
    }
  }
  await fetcher.close();
  return written;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export interface JobRun {
  readonly child: ChildProcess;
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>;
  stderr(): string;
}

/** Until it works on so many partitions; otherwise tells what it said. */
export async function untilOpened(run: JobRun, count = 1): Promise<void> {
  const reached = () => run.stderr().split("partition opened").length > count;
  const ended = () => run.child.exitCode !== null || run.child.signalCode !== null;
  await until(`${count} partitions opened`, () => reached() || ended(), 120_000).catch((error) => {
    throw new Error(`${error.message}; the job said:\n${run.stderr()}`);
  });
  if (!reached()) throw new Error(`the job has ended before it opened ${count} partitions:\n${run.stderr()}`);
}

export interface JobUnderTest {
  readonly name: string;
  readonly input: string;
  /** What it computes: names of sinks of `job-under-test.ts`. */
  readonly plans: readonly string[];
  readonly output: string;
  readonly stateDir: string;
  start(args?: readonly string[], env?: Readonly<Record<string, string>>): Promise<JobRun>;
  /** Runs it with `--until end --json` and gives the summary. @throws when it fails */
  toEnd(env?: Readonly<Record<string, string>>): Promise<any>;
}

/** Topics that plans of `job-under-test.ts` read beside its input. */
const BESIDE: Readonly<Record<string, string>> = {
  both: "other",
  pairs: "other",
  "pairs-anew": "other",
  models: "models",
};

/** The topics that these plans read beside their input, by the ends of their names. */
export const besideOf = (plans: readonly string[]): string[] => [
  ...new Set(plans.flatMap((plan) => BESIDE[plan] ?? [])),
];

/** A job of its own, with an input topic of `partitions`; its state folder is made by the job. */
export async function jobUnderTest(
  cluster: Cluster,
  options: { partitions?: number; plans?: string; guarantee?: string; input?: string; script?: string } = {},
): Promise<JobUnderTest> {
  const name = uniqueName("job");
  const input = options.input ?? `${name}-in`;
  const output = `${name}-out`;
  const stateDir = path.join(await temporaryFolder(), "state");
  const plans = (options.plans ?? "stateless,delta,windows").split(",");
  if (options.input === undefined)
    for (const topic of [input, ...besideOf(plans).map((name) => `${input}-${name}`)])
      await cluster.createTopic(topic, { partitions: options.partitions ?? 3, config: { "retention.ms": "-1" } });
  const base = {
    KAFKA_BOOTSTRAP_SERVERS: cluster.config.bootstrapServers,
    MILLRACE_JOB_NAME: name,
    MILLRACE_STATE_DIR: stateDir,
    ...(options.guarantee !== undefined && { MILLRACE_GUARANTEE: options.guarantee }),
    MILLRACE_COMMIT_INTERVAL: "200ms",
    TEST_INPUT: input,
    TEST_OUTPUT: output,
    TEST_PLANS: plans.join(","),
  };
  const start = async (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
    run(
      [
        ...(process.env.NODE_ARGS ? process.env.NODE_ARGS.split(" ") : []),
        path.join(import.meta.dirname, options.script ?? "job-under-test.ts"),
        ...args,
      ],
      { ...base, ...env },
    );
  return {
    name,
    input,
    plans,
    output,
    stateDir,
    start,
    async toEnd(env) {
      const { ended } = await start(["--until", "end", "--json"], env);
      const { code, stdout, stderr } = await ended;
      if (code !== 0) throw new Error(`the job ended with ${code}:\n${stderr}`);
      return JSON.parse(stdout.trim().split("\n").at(-1) as string);
    },
  };
}

/** Starts a Node process that the test file ends at the latest. */
export function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { cwd, program = process.execPath }: { cwd?: string; program?: string } = {},
): JobRun {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(program, args, { cwd, env: { ...inherited, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  let [stdout, stderr] = ["", ""];
  child.stdout?.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>(
    (resolve) =>
      child.on("close", (code, signal) => {
        children.delete(child);
        resolve({ code, signal, stdout, stderr });
      }),
  );
  return { child, ended, stderr: () => stderr };
}
