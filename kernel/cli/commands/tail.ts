import { Command, InvalidArgumentError } from "commander";
import { Refusal } from "../../../lib/error.ts";
import { Cluster, Fetcher, kafkaConfigFromEnv, type RecordColumns } from "../../../lib/log/index.ts";
import { LinesOut } from "../lines-out.ts";
import { parseWhen } from "../when.ts";

interface Options {
  number?: number;
  from?: string;
  follow?: boolean;
  partition?: number;
  key?: boolean;
  json?: boolean;
}

/** `millrace tail`: the last records of a topic; joins no group and commits nothing. */
export const command = new Command("tail")
  .description("print the last records of a topic, or those from a time on")
  .argument("<topic>")
  .option("-n, --number <count>", "the last so many (default: 10); with --from the first so many (default: all)", count)
  .option("--from <when>", "earliest, latest, an ISO time, or how long ago (-10m)")
  .option("-f, --follow", "go on with what arrives, until Ctrl-C")
  .option("--partition <number>", "this partition only", count)
  .option("--key", "print the key before the value, and a tab")
  .option("--json", "one JSON object per record: partition, offset, timestamp, key, value")
  .action(async (topic: string, options: Options) => {
    const from = options.from === undefined ? undefined : parseWhen(options.from);
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    const out = new LinesOut();
    const fetcher = new Fetcher(cluster, { maxBytes: 4 * 2 ** 20, maxWait: 250 });
    let stopped = false;
    const stop = () => {
      stopped = true;
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    try {
      const ends = await cluster.listOffsets(topic, "latest", "read_committed");
      if (options.partition !== undefined && !ends.has(options.partition))
        throw new Refusal({
          code: "NO_SUCH_PARTITION",
          what: `Topic "${topic}" has no partition ${options.partition}.`,
          remedies: [`it has ${ends.size}: 0 to ${ends.size - 1}`],
        });
      // an offset is found by time, but records behind it may be older
      const since = typeof from === "number" ? from : Number.NEGATIVE_INFINITY;
      const bounded = options.from !== undefined;
      const number = options.number ?? (bounded ? Number.POSITIVE_INFINITY : 10);
      const starts = await startOffsets(cluster, topic, ends, from, number);
      const wanted = [...ends.keys()].filter(
        (partition) => options.partition === undefined || partition === options.partition,
      );
      const open = new Map<number, number>();
      for (const partition of wanted) {
        const start = starts.get(partition)!;
        if (start < ends.get(partition)!) open.set(partition, ends.get(partition)!);
        if (options.follow || open.has(partition)) fetcher.assign(topic, partition, start);
      }
      let lines: { timestamp: number; text: string }[] = [];
      let printed = 0;
      while (!stopped && open.size > 0 && !(bounded && lines.length >= number)) {
        for (const { partition, columns, nextOffset, error } of await fetcher.poll()) {
          if (error !== undefined) throw error;
          for (let row = 0; row < columns.count; row++)
            if (columns.timestamps[row]! >= since)
              lines.push({ timestamp: columns.timestamps[row]!, text: show(columns, row, partition, options) });
          if (nextOffset >= (open.get(partition) ?? Number.POSITIVE_INFINITY)) open.delete(partition);
        }
      }
      lines.sort((a, b) => a.timestamp - b.timestamp);
      lines = bounded ? lines.slice(0, number) : lines.slice(-number);
      for (const { text } of lines) {
        if (stopped || out.closed) break;
        await out.write(text);
      }
      printed += lines.length;
      while (options.follow && !stopped && !out.closed && !(bounded && printed >= number)) {
        for (const { partition, columns, error } of await fetcher.poll()) {
          if (error !== undefined) throw error;
          for (let row = 0; row < columns.count && !(bounded && printed >= number); row++, printed++)
            await out.write(show(columns, row, partition, options));
        }
      }
    } finally {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      await fetcher.close();
      await cluster.close();
    }
  });

/** Without a time: so far before each end that the last ones of all partitions are among them. */
async function startOffsets(
  cluster: Cluster,
  topic: string,
  ends: Map<number, number>,
  from: ReturnType<typeof parseWhen> | undefined,
  number: number,
) {
  if (from !== undefined) return await cluster.listOffsets(topic, from, "read_committed");
  const first = await cluster.listOffsets(topic, "earliest");
  return new Map([...ends].map(([partition, end]) => [partition, Math.max(first.get(partition)!, end - number)]));
}

function show(
  columns: RecordColumns & { offsets: Float64Array },
  row: number,
  partition: number,
  options: Options,
): string {
  const { keys, values } = columns;
  const text = ({ bytes, starts, ends, nulls }: typeof keys) =>
    nulls?.[row] === 1
      ? null
      : Buffer.from(bytes.buffer, bytes.byteOffset + starts[row]!, ends[row]! - starts[row]!).toString();
  const key = text(keys);
  const value = text(values);
  if (options.json)
    return JSON.stringify({ partition, offset: columns.offsets[row], timestamp: columns.timestamps[row], key, value });
  return options.key ? `${key ?? "null"}\t${value ?? "null"}` : (value ?? "null");
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Give a whole number.");
  return value;
}
