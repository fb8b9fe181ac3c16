import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type pl from "nodejs-polars";
import { formatOf } from "../lib/format/index.ts";
import type { Sink } from "../lib/frame/sink.ts";
import { pl as recorded, topic } from "../lib/index.ts";
import {
  decodeRecordBatches,
  encodeRecordBatch,
  encodeRecordBatches,
  partitionByKey,
  type RecordColumns,
} from "../lib/log/index.ts";
import { compile, type Task } from "../lib/operators/index.ts";
import { sourcesOf } from "../lib/plan/nodes/plan-node.ts";
import { sinkRecords } from "../lib/run/sink/sink-records.ts";
import { rowsSchema, SourceReader } from "../lib/run/source/index.ts";
import { textKeys } from "../lib/run/source/record-keys.ts";
import { StateFile } from "../lib/state/duckdb/state-file.ts";
import { MemoryStore } from "../lib/state/memory-store.ts";
import { copyRate, socketRate } from "./side-by-side/machine-limits.ts";
import { PhoneMessages } from "./side-by-side/phone-messages.ts";
import { WORKLOAD_NAMES, type WorkloadName } from "./side-by-side/workloads.ts";

const HELP = `node bench/main.ts stages [options]
  Each stage of a job alone, over bytes in memory, without a broker: nanoseconds per message of CPU (all threads) and of wall time, and the
  stage's input as MB/s of CPU time and as a share of what memory is copied with; the last stage is a checkpoint's DuckDB part.
  --count N   messages (400000)
  --rows N    messages per batch (40000)
  --devices N keys (250: a partition's share of 1000)
  --repeat N  rounds; the fastest by CPU counts (3)`;

const SCHEMA = { timestamp: "Int64", gForceX: "Float64", gForceY: "Float64", gForceZ: "Float64" } as const;

/** What it cost: nanoseconds of CPU and of wall time, over all messages. */
interface Cost {
  cpu: number;
  wall: number;
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      count: { type: "string", default: "400000" },
      rows: { type: "string", default: "40000" },
      devices: { type: "string", default: "250" },
      repeat: { type: "string", default: "3" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const [count, rows, devices, repeat] = [values.count, values.rows, values.devices, values.repeat].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  const fetched = [...new PhoneMessages(count, devices).chunks(rows)].map((columns) =>
    Buffer.concat(encodeRecordBatches(columns, { maxBytes: 16_384 }).map(({ bytes }) => bytes)),
  );
  const rounds: Map<string, Cost & { bytes: number }>[] = [];
  for (let round = 0; round < repeat; round++) rounds.push(await runRound(fetched, count));
  const best = new Map(
    [...rounds[0]!.keys()].map((stage) => [
      stage,
      rounds.map((round) => round.get(stage)!).reduce((a, b) => (b.cpu < a.cpu ? b : a)),
    ]),
  );
  console.log(`${count.toLocaleString("en")} messages in batches of ${rows.toLocaleString("en")}, ${devices} keys\n`);
  const [memory, socket] = [copyRate(), await socketRate()];
  const share = (rate: number) => `${((100 * rate) / memory).toFixed(rate > memory / 10 ? 0 : 1)} %`;
  console.log("| stage | CPU ns/msg | wall ns/msg | MB/s | of memory |\n|---|---:|---:|---:|---:|");
  console.log(`| copying memory | | | ${(memory / 1e6).toFixed(0)} | 100 % |`);
  console.log(`| socket, both ends | | | ${(socket / 1e6).toFixed(0)} | ${share(socket)} |`);
  for (const [stage, { cpu, wall, bytes }] of best) {
    const rate = (bytes / cpu) * 1e9;
    const rates = bytes === 0 ? " | " : `${(rate / 1e6).toFixed(0)} | ${share(rate)}`;
    console.log(`| ${stage} | ${(cpu / count).toFixed(0)} | ${(wall / count).toFixed(0)} | ${rates} |`);
  }
}

async function runRound(fetched: readonly Buffer[], count: number): Promise<Map<string, Cost & { bytes: number }>> {
  const costs = new Map<string, Cost & { bytes: number }>();
  const stage = async <T>(name: string, bytes: number, work: () => T | Promise<T>): Promise<T> => {
    const cost = costs.get(name) ?? { cpu: 0, wall: 0, bytes: 0 };
    costs.set(name, cost);
    const before = process.cpuUsage();
    const began = process.hrtime.bigint();
    const result = await work();
    cost.wall += Number(process.hrtime.bigint() - began);
    const { user, system } = process.cpuUsage(before);
    cost.cpu += (user + system) * 1000;
    cost.bytes += bytes;
    return result;
  };

  const jobs = await Promise.all(WORKLOAD_NAMES.map(openJob));
  const reader = jobs[0]!.reader;
  for (const part of fetched) {
    const bytes = Buffer.from(part); // decoding consumes them
    const size = bytes.length;
    const columns = await stage("decode record batches (CRC, walk)", size, () => decodeRecordBatches(bytes));
    await stage("keys to text", size, () => textKeys(columns.keys, columns.count));
    await stage("JSON to columns", size, () => formatOf("json").decode(columns, SCHEMA, {}));
    const { frame } = await stage("bytes to rows, all of it", size, () =>
      reader.read({ topic: "bench-phone", partition: 0, columns }),
    );
    for (const { name, task, source, sink } of jobs) {
      const { rows } = await stage(`${name} operators`, size, () => task.process(new Map([[source, frame]])));
      const made = rows[0]?.frame as pl.DataFrame | undefined;
      if (made === undefined) continue;
      const records = await stage(`${name} rows to records (JSON, keys, times)`, size, () =>
        sinkRecords(sink.node, made),
      );
      const parts = await stage(`${name} place on partitions`, size, () => partitionByKey(records, 4));
      await stage(`${name} encode record batches (CRC)`, size, () => parts.forEach(encodeAll));
    }
  }
  for (const { name, task, spare } of jobs) {
    void task;
    const changes = await stage(`${name} changes for the checkpoint`, 0, () =>
      spare.map((store) => [store.spec.name, store.takeChanges()] as const),
    );
    if (changes.length === 0) throw new Error(`${name} keeps no state, not even a watermark`);
    const folder = await mkdtemp(path.join(os.tmpdir(), "millrace-bench-"));
    const stores = spare.map(({ spec }) => spec);
    const file = await StateFile.open({ folder, owner: { job: name, fingerprint: name }, stores });
    const position = { offsets: { "bench-phone": count }, changelog: {}, watermark: Number.NaN, at: Date.now() };
    const checkpoint = [{ partition: 0, position, changes: new Map(changes) }];
    await stage(`${name} checkpoint of them in DuckDB`, 0, () => file.commit(checkpoint));
    await file.close();
    await rm(folder, { recursive: true, force: true });
  }
  if (count === 0) throw new Error("no messages");
  return costs;
}

function encodeAll(columns: RecordColumns): void {
  for (let from = 0; from < columns.count; )
    from = encodeRecordBatch(columns, { from, maxBytes: 900_000, producer: { id: 1, epoch: 0, sequence: from } }).next;
}

interface OpenJob {
  readonly name: WorkloadName;
  readonly task: Task;
  readonly source: string;
  readonly sink: Sink;
  readonly reader: SourceReader;
  readonly spare: readonly MemoryStore[];
}

/** The job of bench/notebooks, its state in memory. */
async function openJob(name: WorkloadName): Promise<OpenJob> {
  const sink = PROGRAMS[name]();
  const program = compile(
    [sink.node],
    new Map(sourcesOf([sink.node]).map((node) => [node.id, rowsSchema(node, SCHEMA)])),
  );
  const stores: MemoryStore[] = [];
  const task = await program.open((spec) => {
    const store = new MemoryStore(spec, { track: true });
    stores.push(store);
    return store;
  });
  const source = program.sources[0]!;
  return { name, task, source: source.id, sink, reader: new SourceReader(source, SCHEMA), spare: stores };
}

const VALUE = ["timestamp", "gForceX", "gForceY", "gForceZ", "gForceTotal"];
const total = () =>
  topic("bench-phone", { key: "device", schema: SCHEMA }).withColumns(
    recorded
      .col("gForceX")
      .abs()
      .plus(recorded.col("gForceY").abs())
      .plus(recorded.col("gForceZ").abs())
      .alias("gForceTotal"),
  );
const PROGRAMS: Readonly<Record<WorkloadName, () => Sink>> = {
  w1: () => total().filter(recorded.col("gForceTotal").gt(2.0)).to("out", { key: "device", value: VALUE }),
  w2: () =>
    total()
      .withColumns(recorded.col("gForceTotal").diff(1, "ignore").over("device").alias("delta"))
      .to("out", { key: "device", value: [...VALUE, "delta"] }),
  w3: () =>
    total()
      .groupByDynamic({ indexColumn: "_time", every: "1s", by: "device", grace: "0s" })
      .agg(
        recorded.len().alias("n"),
        recorded.col("gForceTotal").mean().alias("mean"),
        recorded.col("gForceTotal").max().alias("max"),
      )
      .withColumns(recorded.col("window_start").cast(recorded.Int64), recorded.col("window_end").cast(recorded.Int64))
      .to("out", { key: "device", value: ["window_start", "window_end", "n", "mean", "max"] }),
  w4: () =>
    total()
      .groupByDynamic({ indexColumn: "_time", every: "1s", period: "5s", by: "device", grace: "0s" })
      .agg(
        recorded.len().alias("n"),
        recorded.col("gForceTotal").mean().alias("mean"),
        recorded.col("gForceTotal").max().alias("max"),
      )
      .withColumns(recorded.col("window_start").cast(recorded.Int64), recorded.col("window_end").cast(recorded.Int64))
      .to("out", { key: "device", value: ["window_start", "window_end", "n", "mean", "max"] }),
};
