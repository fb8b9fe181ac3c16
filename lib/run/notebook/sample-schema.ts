import { MillraceError } from "../../error.ts";
import { formatOf } from "../../format/index.ts";
import { type Cluster, Fetcher, type RecordColumns } from "../../log/index.ts";
import type { SourceNode } from "../../plan/nodes/source-node.ts";
import type { Schema } from "../../schema.ts";
import { describeSource } from "../source/source-schema.ts";
import { topicsOf } from "./topics-of.ts";

/** Records that a schema is inferred from, over all partitions. */
const SAMPLE = 1000;
/** Numbers below this in an event-time column are seconds: as milliseconds they would lie before March 1973. */
const LEAST_MILLISECONDS = 1e11;
const PATIENCE = 10_000;

/**
 * Infers how the messages of a source are written, from its newest records; without any, from what a schema registry has for its topics.
 * @throws MillraceError `EMPTY_TOPIC`, `NO_READABLE_RECORD`
 */
export async function sampleSchema(cluster: Cluster, node: SourceNode): Promise<Schema> {
  const topics = await topicsOf(cluster, node);
  const samples = await newestRecords(cluster, topics);
  if (samples.length === 0) {
    const { registered } = formatOf(node.format);
    const known: Schema = Object.assign({}, ...topics.map((topic) => registered?.(topic)));
    if (Object.keys(known).length > 0) return withKeyAndTime(node, known, samples);
    throw new MillraceError({
      code: "EMPTY_TOPIC",
      what: `${describeSource(node)} holds no records yet, so its columns are not known`,
      remedies: [
        `give them: topic("${topics[0]}", { schema: { gForceX: "Float64", … } })`,
        "or write some records first and run the cell again",
      ],
    });
  }
  const inferred = formatOf(node.format).inferSchema(samples);
  if (Object.keys(inferred).length === 0) {
    throw new MillraceError({
      code: "NO_READABLE_RECORD",
      what: `none of the newest ${count(samples)} records of ${describeSource(node)} is a JSON object with fields`,
      remedies: [`look at them: millrace tail ${topics[0]}`, "give a schema; such records then count as bad"],
    });
  }
  return withKeyAndTime(node, inferred, samples);
}

function withKeyAndTime(node: SourceNode, inferred: Schema, samples: readonly RecordColumns[]): Schema {
  const schema: Record<string, string> = { ...inferred };
  // the record key wins over the field, and keys are text
  if (node.key !== undefined && node.key in schema) schema[node.key] = "Utf8";
  if (node.time !== undefined && /^(Int64|Float64|Utf8)$/.test(schema[node.time] ?? "")) {
    const numbers = { [node.time]: "Float64" };
    let seconds = 0;
    let all = 0;
    for (const sample of samples) {
      const column = formatOf(node.format).decode(sample, numbers).frame.getColumn(node.time);
      for (const number of column.toArray() as (number | null)[]) {
        if (number === null) continue;
        all++;
        if (Math.abs(number) < LEAST_MILLISECONDS) seconds++;
      }
    }
    schema[node.time] = seconds * 2 > all ? "Datetime(s)" : "Datetime(ms)";
  }
  return schema;
}

const count = (samples: readonly RecordColumns[]): number => samples.reduce((sum, sample) => sum + sample.count, 0);

async function newestRecords(cluster: Cluster, topics: readonly string[]): Promise<RecordColumns[]> {
  const partitions: { topic: string; partition: number; first: number; end: number }[] = [];
  for (const topic of topics) {
    const [first, end] = await Promise.all([
      cluster.listOffsets(topic, "earliest"),
      cluster.listOffsets(topic, "latest", "read_committed"),
    ]);
    for (const [partition, offset] of end) {
      if (offset > first.get(partition)!)
        partitions.push({ topic, partition, first: first.get(partition)!, end: offset });
    }
  }
  const share = Math.ceil(SAMPLE / Math.max(1, partitions.length));
  const newest = await read(cluster, partitions, (one) => Math.max(one.first, one.end - share), share);
  // transaction markers and compaction leave offsets without a record: then from the start
  return newest.length > 0 ? newest : await read(cluster, partitions, (one) => one.first, share);
}

type Partition = { topic: string; partition: number; first: number; end: number };

async function read(
  cluster: Cluster,
  partitions: readonly Partition[],
  start: (partition: Partition) => number,
  share: number,
): Promise<RecordColumns[]> {
  const fetcher = new Fetcher(cluster, { partitionMaxBytes: 2 ** 20, newlines: "keep" });
  const left = new Map(partitions.map((one) => [`${one.topic}/${one.partition}`, { end: one.end, wanted: share }]));
  const samples: RecordColumns[] = [];
  try {
    for (const one of partitions) fetcher.assign(one.topic, one.partition, start(one));
    const deadline = Date.now() + PATIENCE;
    while (left.size > 0 && Date.now() < deadline) {
      for (const { topic, partition, columns, nextOffset, error } of await fetcher.poll()) {
        if (error !== undefined) throw error;
        if (columns.count > 0) samples.push(columns);
        const name = `${topic}/${partition}`;
        const state = left.get(name);
        if (state === undefined) continue;
        state.wanted -= columns.count;
        if (nextOffset < state.end && state.wanted > 0) continue;
        left.delete(name);
        fetcher.unassign(topic, partition);
      }
    }
  } finally {
    await fetcher.close();
  }
  return samples;
}
