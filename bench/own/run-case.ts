import { mkdir } from "node:fs/promises";
import path from "node:path";
import pl from "nodejs-polars";
import { NODE_FLAGS } from "../../kernel/promote/job/package-json.ts";
import { jsonFormat } from "../../lib/format/json.ts";
import { type Cluster, Producer, partitionByKey, partitionOf } from "../../lib/log/index.ts";
import { keyColumn } from "../../lib/run/sink/key-column.ts";
import { checkOutput } from "../side-by-side/check-output.ts";
import { type Measured, measure } from "../side-by-side/measure.ts";
import type { Guarantee } from "../side-by-side/peer.ts";
import { readOutput } from "../side-by-side/read-output.ts";
import { CASES, type Size } from "./cases.ts";

export interface CaseRun {
  readonly name: string;
  readonly size: Size;
  readonly partitions: number;
  /** Most bytes of a record batch of the input. */
  readonly batchBytes: number;
  readonly guarantee: Guarantee;
  readonly workers: number;
}

export interface CaseResult extends Measured {
  readonly valueBytes: number;
}

let runs = 0;

/** Writes a case's messages, runs its job to the end, and checks what it wrote. @throws when it is not what batch Polars makes */
export async function runCase(cluster: Cluster, servers: string, work: string, run: CaseRun): Promise<CaseResult> {
  const one = CASES[run.name]!;
  const id = `bench-own-${run.name}-${++runs}`;
  const [input, output] = [`${id}-in`, `${id}-out`];
  for (const topic of [input, output])
    await cluster.createTopic(topic, { partitions: run.partitions, config: { "retention.ms": "-1" } });
  const messages = one.messages(run.size);
  const values = messages.columns.filter((name) => name !== "device");
  const producer = await Producer.create(cluster, {
    maxBatchBytes: run.batchBytes,
    ...(one.compression && { compression: one.compression }),
  });
  let valueBytes = 0;
  for (let from = 0; from < messages.height; from += CHUNK) {
    const rows = messages.slice(from, Math.min(CHUNK, messages.height - from));
    const encoded = jsonFormat.encode(rows, values, input);
    valueBytes += encoded.bytes.length - rows.height;
    const timestamps = Float64Array.from(rows.getColumn("timestamp").cast(pl.Float64).toTypedArray() as Float64Array);
    const records = { count: rows.height, keys: keyColumn(rows, "device"), values: encoded, timestamps };
    for (const [partition, part] of partitionByKey(records, run.partitions).entries())
      await producer.send(input, partition, part);
  }
  await producer.flush();
  await producer.close();

  const stateDir = path.join(work, id);
  await mkdir(stateDir);
  const measured = await measure(
    {
      command: process.execPath,
      args: [
        NODE_FLAGS,
        path.join(import.meta.dirname, "job.ts"),
        "--until",
        "end",
        "--json",
        "--workers",
        String(run.workers),
      ],
      env: {
        KAFKA_BOOTSTRAP_SERVERS: servers,
        MILLRACE_JOB_NAME: id,
        MILLRACE_STATE_DIR: stateDir,
        MILLRACE_GUARANTEE: run.guarantee,
        INPUT: input,
        OUTPUT: output,
        CASE: run.name,
      },
    },
    900_000,
  );
  const devices = messages.select("device").unique({ maintainOrder: true }).getColumn("device").toArray() as string[];
  const placed = pl.DataFrame([
    pl.Series("device", devices, pl.Utf8),
    pl.Series(
      "partition",
      devices.map((device) => partitionOf(run.partitions, Buffer.from(device))),
      pl.Int32,
    ),
  ]);
  const expected = one.expected(messages.join(placed, { on: "device", how: "left" }));
  checkOutput(one, await readOutput(cluster, output, one.output), expected);
  for (const topic of [input, output]) await cluster.deleteTopic(topic);
  return { ...measured, valueBytes: valueBytes / messages.height };
}

const CHUNK = 50_000;
