import { Command, InvalidArgumentError, Option } from "commander";
import { Refusal } from "../../../lib/error.ts";
import {
  Cluster,
  COMPRESSIONS,
  type Compression,
  kafkaConfigFromEnv,
  Producer,
  partitionByKey,
} from "../../../lib/log/index.ts";
import {
  simulateCar,
  simulateChat,
  simulatePackedCar,
  simulatePhone,
  simulateQuotes,
  simulateSensor,
  simulateTrades,
} from "../../simulate/index.ts";
import { ensureTopic } from "../ensure-topic.ts";
import { parseWhen } from "../when.ts";

interface Options {
  topic?: string;
  count?: number;
  rate?: number;
  devices?: number;
  seed: number;
  start?: string;
  create?: number;
  compression: Compression;
  packed?: "arrow" | "json";
  channels?: number;
}

const SIMULATIONS = {
  phone: { topic: "phone-data", simulate: simulatePhone },
  car: { topic: "car-data", simulate: simulateCar },
  chat: { topic: "chat-data", simulate: simulateChat },
  sensor: { topic: "sensor-data", simulate: simulateSensor },
  quotes: { topic: "quotes", simulate: simulateQuotes },
  trades: { topic: "trades", simulate: simulateTrades },
} as const;

/** `millrace simulate`: seeded records, as fast as they can be written or at a rate. */
export const command = new Command("simulate")
  .description("write simulated phones, cars, chats, sensors or a market to a topic")
  .argument("<what>", Object.keys(SIMULATIONS).join(" | "), what)
  .option("--topic <name>", "default: phone-data, car-data, chat-data, sensor-data, quotes, trades")
  .option("--count <records>", "how many; until Ctrl-C when absent", whole)
  .option(
    "--rate <per-second>",
    "records per second by the clock, with the present as their time; as fast as possible when absent",
    positive,
  )
  .option("--devices <number>", "phones, cars, people, sensors or symbols", whole)
  .option("--seed <number>", "the same seed gives the same records", seed, 1)
  .option(
    "--start <time>",
    "time of the first record, ISO or -10m; 2026-01-01T00:00:00Z by default, the present with --rate",
  )
  .option("--create <partitions>", "create the topic with so many partitions if it is not there", whole)
  .addOption(
    new Option(
      "--packed <format>",
      "car: messages of 100 ms at 1.5 kHz, of 50 channels in Arrow, of one in JSON; --rate counts messages",
    ).choices(["arrow", "json"]),
  )
  .option("--channels <number>", "with --packed; 50,000 by default", whole)
  .addOption(new Option("--compression <name>").choices(COMPRESSIONS).default("none"))
  .action(async (name: keyof typeof SIMULATIONS, options: Options) => {
    const { simulate } = SIMULATIONS[name];
    const start = options.start === undefined ? undefined : parseWhen(options.start);
    if (typeof start === "string")
      throw new Refusal({
        code: "BAD_TIME",
        what: `--start takes a time, not "${start}".`,
        remedies: ['write an ISO time ("2026-01-01T12:00:00Z"), or how long ago ("-10m")'],
      });
    const topic = options.topic ?? SIMULATIONS[name].topic;
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    let stopped = false;
    const stop = () => {
      stopped = true;
    };
    process.once("SIGINT", stop).once("SIGTERM", stop);
    try {
      const partitions = await ensureTopic(cluster, topic, "--create", options.create);
      const producer = await Producer.create(cluster, { compression: options.compression });
      const begun = performance.now();
      const paced = options.rate !== undefined;
      if (options.packed !== undefined && name !== "car")
        throw new Refusal({ code: "WRONG_USAGE", what: "--packed is for car" });
      const from = start !== undefined ? { start } : paced && { start: Date.now() };
      const packed = options.packed && {
        format: options.packed,
        seed: options.seed,
        ...(options.count !== undefined && { count: options.count }),
        ...(options.channels !== undefined && { channels: options.channels }),
        ...from,
      };
      const records = packed
        ? simulatePackedCar(packed)
        : simulate({
            seed: options.seed,
            ...(options.count !== undefined && { count: options.count }),
            ...(options.devices !== undefined && { devices: options.devices }),
            ...(options.rate !== undefined && {
              rate: options.rate,
              batch: Math.max(1, Math.round(options.rate / 10)),
            }),
            ...from,
          });
      let written = 0;
      for (const columns of records) {
        if (stopped) break;
        if (options.rate !== undefined) {
          const due = begun + (written * 1000) / options.rate;
          const wait = due - performance.now();
          if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        }
        for (const [partition, part] of partitionByKey(columns, partitions).entries())
          await producer.send(topic, partition, part);
        written += columns.count;
      }
      await producer.flush();
      await producer.close();
      const seconds = (performance.now() - begun) / 1000;
      console.error(
        `${written.toLocaleString("en")} records written to ${topic} in ${seconds.toFixed(1)} s (${Math.round(written / seconds).toLocaleString("en")}/s)`,
      );
    } finally {
      process.off("SIGINT", stop).off("SIGTERM", stop);
      await cluster.close();
    }
  });

function what(text: string): string {
  if (!Object.hasOwn(SIMULATIONS, text))
    throw new InvalidArgumentError(`Use one of ${Object.keys(SIMULATIONS).join(", ")}.`);
  return text;
}

function seed(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isInteger(value)) throw new InvalidArgumentError("Give a whole number.");
  return value;
}

function whole(text: string): number {
  const value = positive(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError("Give a whole number above 0.");
  return value;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError("Give a number above 0.");
  return value;
}
