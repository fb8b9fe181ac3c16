import { spawn } from "node:child_process";
import path from "node:path";
import { kafkaJars } from "../../kernel/broker/jars.ts";
import type { Written } from "../run/job/support.ts";

/**
 * Reads a topic as an outsider does: Kafka's own console consumer, `read_committed`, until nothing comes any more. On a busy machine that may
 * be a pause only: where fewer than `awaited` came, it reads once more with more patience.
 */
export async function consoleConsumer(bootstrapServers: string, topic: string, awaited: number): Promise<Written[]> {
  const written = await consume(bootstrapServers, topic, 5000);
  return written.length >= awaited ? written : await consume(bootstrapServers, topic, 40_000);
}

/** Ends when nothing came for `quiet` ms. */
async function consume(bootstrapServers: string, topic: string, quiet: number): Promise<Written[]> {
  const jars = await kafkaJars();
  const shown = ["print.key", "print.partition", "print.offset", "print.timestamp"].flatMap((name) => [
    "--property",
    `${name}=true`,
  ]);
  const child = spawn(
    "java",
    [
      "-XX:TieredStopAtLevel=1",
      "-Xmx128m",
      "-cp",
      path.join(jars, "*"),
      "org.apache.kafka.tools.consumer.ConsoleConsumer",
      "--bootstrap-server",
      bootstrapServers,
      "--topic",
      topic,
      "--from-beginning",
      "--isolation-level",
      "read_committed",
      "--timeout-ms",
      String(quiet),
      ...shown,
      "--property",
      "key.separator=\u0001",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let [out, trouble] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    trouble += chunk;
  });
  await new Promise((resolve) => child.on("close", resolve));
  if (!/Processed a total of \d+ messages/.test(trouble + out))
    throw new Error(`the console consumer failed:\n${trouble.slice(-2000)}`);
  return out
    .split("\n")
    .filter((line) => line.includes("\u0001"))
    .map((line) => {
      // CreateTime:1700000000000 ␁ Partition:0 ␁ Offset:5 ␁ key ␁ value
      const [time, partition, offset, key, value] = line.split("\u0001") as [string, string, string, string, string];
      const number = (text: string) => Number(text.slice(text.indexOf(":") + 1));
      return {
        partition: number(partition),
        offset: number(offset),
        timestamp: number(time),
        key,
        value: JSON.parse(value),
        headers: {},
      };
    });
}
