import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { Refusal } from "../../../lib/error.ts";
import {
  Cluster,
  COMPRESSIONS,
  type Compression,
  kafkaConfigFromEnv,
  Producer,
  partitionByKey,
  type RecordColumns,
} from "../../../lib/log/index.ts";
import { RecordsBuilder } from "../../simulate/records-builder.ts";
import { ensureTopic } from "../ensure-topic.ts";

interface Options {
  key?: string;
  time?: string;
  partitions?: number;
  compression: Compression;
}

const BATCH = 5000;
/** Lines that come slowly (`tail -f`, a keyboard) wait no longer than this, ms. */
const LINGER = 200;

/** `millrace produce`: lines of standard input become records. */
export const command = new Command("produce")
  .description("write the lines of standard input to a topic")
  .argument("<topic>")
  .option("--key <field>", "the JSON field whose text becomes the record key")
  .option("--time <field>", "the JSON field (ms or ISO 8601) that becomes the record's timestamp; now by default")
  .option("--partitions <count>", "create the topic with so many partitions if it is not there", count)
  .option("--compression <name>", COMPRESSIONS.join(", "), compression, "none")
  .action(async (topic: string, options: Options) => {
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    try {
      const partitions = await ensureTopic(cluster, topic, "--partitions", options.partitions);
      const producer = await Producer.create(cluster, { compression: options.compression });
      let written = 0;
      let lineNumber = 0;
      let builder = new RecordsBuilder(BATCH);
      let sending: Promise<void> = Promise.resolve();
      const send = () => {
        const columns = builder.build();
        builder = new RecordsBuilder(BATCH);
        sending = sending.then(async () => {
          for (const [partition, part] of place(columns, partitions, options.key !== undefined).entries())
            await producer.send(topic, partition, part);
          written += columns.count;
        });
        sending.catch(() => {}); // thrown where it is awaited
        return sending;
      };
      const input = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
      const stop = () => input.close(); // what was read is still written
      process.once("SIGINT", stop).once("SIGTERM", stop);
      const linger = setInterval(() => {
        if (builder.count > 0) void send();
      }, LINGER);
      try {
        for await (const line of input) {
          lineNumber++;
          if (line === "") continue;
          const { key, time } = fieldsOf(line, lineNumber, options);
          builder.begin(Buffer.from(key), time);
          builder.text(Buffer.from(line));
          builder.end();
          if (builder.count === BATCH) await send();
        }
        await send();
        await producer.flush();
      } finally {
        clearInterval(linger);
        process.off("SIGINT", stop).off("SIGTERM", stop);
        process.stdin.destroy();
        await producer.close();
      }
      console.error(`${written.toLocaleString("en")} records written to ${topic}`);
    } finally {
      await cluster.close();
    }
  });

/** Lines without a key field have a null key. */
function place(columns: RecordColumns, partitions: number, keyed: boolean): RecordColumns[] {
  if (keyed) return partitionByKey(columns, partitions);
  return partitionByKey(
    { ...columns, keys: { ...columns.keys, nulls: new Uint8Array(columns.count).fill(1) } },
    partitions,
  );
}

function fieldsOf(line: string, lineNumber: number, options: Options): { key: string; time: number } {
  if (options.key === undefined && options.time === undefined) return { key: "", time: Date.now() };
  let record: Record<string, unknown> | null;
  try {
    record = JSON.parse(line) as Record<string, unknown> | null;
  } catch (cause) {
    throw wrong(lineNumber, `is not JSON: ${(cause as Error).message}`);
  }
  const field = (name: string) => {
    const value = record?.[name];
    if (value === undefined || value === null) throw wrong(lineNumber, `has no field "${name}"`);
    return value;
  };
  const key = options.key === undefined ? "" : field(options.key);
  const time = options.time === undefined ? Date.now() : field(options.time);
  const milliseconds = typeof time === "number" ? time : Date.parse(String(time));
  if (Number.isNaN(milliseconds)) throw wrong(lineNumber, `has no time in "${options.time}": ${JSON.stringify(time)}`);
  return { key: typeof key === "object" ? JSON.stringify(key) : String(key), time: milliseconds };
}

const wrong = (lineNumber: number, what: string) =>
  new Refusal({
    code: "BAD_INPUT_LINE",
    what: `A line of the input ${what}.`,
    where: `standard input, line ${lineNumber}`,
    remedies: ["mend that line; lines before it may have been written"],
  });

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("Give a whole number above 0.");
  return value;
}

function compression(text: string): Compression {
  if (!COMPRESSIONS.includes(text as Compression))
    throw new InvalidArgumentError(`Use one of ${COMPRESSIONS.join(", ")}.`);
  return text as Compression;
}
