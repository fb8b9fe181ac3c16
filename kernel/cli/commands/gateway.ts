import { Command, InvalidArgumentError } from "commander";
import { Refusal } from "../../../lib/error.ts";
import { Cluster, kafkaConfigFromEnv } from "../../../lib/log/index.ts";
import { Gateway } from "../../gateway/gateway.ts";
import { ensureTopic } from "../ensure-topic.ts";

interface Options {
  host: string;
  port: number;
  in?: string;
  key?: string;
  time?: string;
  create?: number;
  out: string[];
  maxMessage: number;
  maxClients: number;
}

/** `millrace gateway`: phones in, alerts out. Runs until SIGINT or SIGTERM; what was taken is written first. */
export const command = new Command("gateway")
  .description(
    "websockets beside Kafka: readings to a topic at /in, records of topics at /out, a page that shows them at /",
  )
  .option("--host <address>", "where to listen; other machines need MILLRACE_GATEWAY_TOKEN", "127.0.0.1")
  .option("--port <number>", "0 for a free one", wholeNumber, 8090)
  .option("--in <topic>", "the topic of readings sent to /in (lines of JSON objects)")
  .option("--key <field>", "of a reading: the field whose text becomes the record key")
  .option(
    "--time <field>",
    "of a reading: the field (ms or ISO 8601) that becomes the timestamp; the arrival by default",
  )
  .option("--create <partitions>", "create the topic of --in with so many partitions if it is not there", wholeNumber)
  .option("--out <topic>", "a topic given to browsers; may be repeated", (topic, all: string[]) => [...all, topic], [])
  .option("--max-message <bytes>", "a longer message closes its connection", wholeNumber, 64 * 1024)
  .option("--max-clients <count>", "connections at one time", wholeNumber, 1000)
  .addHelpText(
    "after",
    "\nMILLRACE_GATEWAY_TOKEN: who gives it (Authorization: Bearer, or the page at /#token=…) may connect",
  )
  .action(async (options: Options) => {
    if (options.in === undefined && options.out.length === 0)
      throw new Refusal({
        code: "WRONG_USAGE",
        what: "The gateway has neither a topic to write to nor one to show.",
        remedies: ["--in TOPIC --key FIELD", "--out TOPIC"],
      });
    const cluster = await Cluster.connect(kafkaConfigFromEnv());
    try {
      const inlet =
        options.in === undefined
          ? undefined
          : {
              topic: options.in,
              partitions: await ensureTopic(cluster, options.in, "--create", options.create),
              ...(options.key !== undefined && { key: options.key }),
              ...(options.time !== undefined && { time: options.time }),
            };
      const token = process.env.MILLRACE_GATEWAY_TOKEN;
      const gateway = await Gateway.start(cluster, {
        host: options.host,
        port: options.port,
        ...(token && { token }),
        ...(inlet && { inlet }),
        outlet: options.out,
        maxMessageBytes: options.maxMessage,
        maxClients: options.maxClients,
      });
      const stopped = new Promise((resolve) => {
        process.once("SIGINT", resolve).once("SIGTERM", resolve);
      });
      console.log(gateway.url);
      await stopped;
      await gateway.close();
    } finally {
      await cluster.close();
    }
  });

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError("Give a whole number.");
  return value;
}
