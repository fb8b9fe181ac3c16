import { Command } from "commander";
import { EmbeddedBroker } from "../../broker/embedded-broker.ts";

/** `millrace broker`: a real Kafka on this machine until Ctrl-C. */
export const command = new Command("broker")
  .description("start a real Kafka broker on 127.0.0.1 (Java 17 and Maven); ends with Ctrl-C")
  .option("--port <port>", "port to listen on", (text) => Number.parseInt(text, 10), 9092)
  .option("--data <dir>", "where the log is kept (default: a temporary folder, removed at the end)")
  .option(
    "--partitions <count>",
    "partitions of topics created without a count",
    (text) => Number.parseInt(text, 10),
    4,
  )
  .action(async ({ port, data, partitions }: { port: number; data?: string; partitions: number }) => {
    const broker = await EmbeddedBroker.start({
      port,
      dataDir: data,
      partitions,
      progress: (line) => console.error(line),
    });
    console.log(`KAFKA_BOOTSTRAP_SERVERS=${broker.bootstrapServers}`);
    console.error("Kafka is running; Ctrl-C ends it.");
    await new Promise<void>((resolve) => {
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
    });
    await broker.stop({ keepData: data !== undefined });
  });
