import { access, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import type pl from "nodejs-polars";
import { type RecordColumns, sliceRecords } from "../../log/index.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import { AmountTeller } from "../amount-done.ts";
import { ProgramRunner, type RunnerResult } from "../memory/program-runner.ts";
import { settledRows } from "../sink/settled-rows.ts";
import { sinkRecords } from "../sink/sink-records.ts";
import { tableLines } from "../sink/table-lines.ts";
import type { JobPlan } from "./job-plan.ts";
import { stderrLog as log } from "./log.ts";
import { cell, readSamples, type Sample, samplesFile, textOf } from "./samples.ts";

/**
 * Runs the job over recorded samples instead of Kafka, with state in memory: `samples/<topic>.jsonl.gz` in, `<out>/<topic of the sink>.jsonl` out, one line
 * per record that would be written: `{"key":"a","value":{…}}`. The samples pass through the same reader, tasks and sinks as in a job.
 */
export async function runReplay(
  plan: JobPlan,
  folders: { samples: string; out: string },
  json: boolean,
): Promise<void> {
  await mkdir(folders.out, { recursive: true });
  const kept = new Map(
    [...plan.sinks.keys(), ...plan.tables.keys(), ...plan.files.keys()].map((id) => [id, [] as pl.DataFrame[]]),
  );
  const counts = { rowsIn: 0, rowsOut: 0, bad: 0 };
  const samples: { input: JobPlan["inputs"][number]; topic: string; partitions: Sample[] }[] = [];
  for (const input of plan.inputs)
    for (const topic of await recordedTopics(input.source.node, folders.samples))
      samples.push({ input, topic, partitions: await readSamples(path.join(folders.samples, samplesFile(topic))) });
  const size = (partitions: readonly Sample[]) => Math.max(0, ...partitions.map(({ partition }) => partition + 1));
  const topics = new Map(plan.inputs.map(({ source }) => [source.id, new Map<string, number>()]));
  for (const { input, topic, partitions } of samples) topics.get(input.source.id)!.set(topic, size(partitions));
  const runner = new ProgramRunner(plan.program, { topics });
  const take = ({ rows, bad }: RunnerResult) => {
    counts.bad += bad.length;
    for (const { terminal, frame } of rows) {
      kept.get(terminal)?.push(frame);
      if (!plan.tables.has(terminal)) counts.rowsOut += frame.height;
    }
  };
  const parts = samples.flatMap(({ partitions, ...read }) =>
    partitions.flatMap((sample) => slices(sample).map((part) => ({ ...read, ...part }))),
  );
  const amount = new AmountTeller(
    "replaying",
    parts.reduce((sum, { columns }) => sum + columns.count, 0),
  );
  for (const { input, topic, partition, columns } of parts) {
    const { frame, bad } = input.reader.read({ topic, partition, columns });
    counts.rowsIn += columns.count;
    counts.bad += bad.length;
    take(await runner.feed(input.source.id, topic, partition, frame));
    amount.update(counts.rowsIn);
  }
  take(await runner.end());
  // sink by sink: how the rows of two sinks of one topic fall between each other depends on batches
  const written = new Map<string, string>();
  for (const [terminal, sink] of plan.sinks) {
    const lines = settledRows(sink, kept.get(terminal)!).map((frame) => recordLines(sinkRecords(sink, frame)));
    written.set(sink.topic, (written.get(sink.topic) ?? "") + lines.join(""));
  }
  for (const [terminal, table] of [...plan.tables, ...plan.files])
    written.set(terminal, tableLines(table, kept.get(terminal)!));
  for (const [topic, text] of written) await writeFile(path.join(folders.out, `${topic}.jsonl`), text);
  log.info("replayed", counts);
  const seconds = Math.round(performance.now()) / 1000;
  const summary = { rowsIn: counts.rowsIn, rowsOut: counts.rowsOut, secondsSinceFirst: seconds, secondsTotal: seconds };
  if (json) process.stdout.write(`${JSON.stringify(summary)}\n`);
}

/** So many records of a partition are replayed at a time. */
const SLICE = 20_000;

function slices({ partition, columns }: Sample): Sample[] {
  if (columns.count <= SLICE) return [{ partition, columns }];
  return Array.from({ length: Math.ceil(columns.count / SLICE) }, (_, i) => ({
    partition,
    columns: sliceRecords(columns, i * SLICE, Math.min((i + 1) * SLICE, columns.count)),
  }));
}

async function recordedTopics({ topics, pattern }: SourceNode, folder: string): Promise<string[]> {
  const suffix = samplesFile("");
  if (pattern !== undefined) {
    const recorded = (await readdir(folder))
      .filter((file) => file.endsWith(suffix))
      .map((file) => file.slice(0, -suffix.length));
    return recorded.filter((topic) => new RegExp(pattern).test(topic)).sort();
  }
  const found: string[] = [];
  for (const topic of topics) {
    const there = await access(path.join(folder, samplesFile(topic))).then(
      () => true,
      () => false,
    );
    if (there) found.push(topic);
    else log.warn("nothing recorded", { topic });
  }
  return found;
}

function recordLines({ count, keys, values }: RecordColumns): string {
  let text = "";
  for (let i = 0; i < count; i++) {
    const key = cell(keys, i);
    const value = cell(values, i);
    text += `{"key":${key === null ? "null" : JSON.stringify(textOf(key))},"value":${value === null ? "null" : textOf(value)}}\n`;
  }
  return text;
}
