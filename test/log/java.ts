import { execFile, spawn } from "node:child_process";
import path from "node:path";
import { kafkaJars } from "../../kernel/broker/jars.ts";
import { sharedBroker } from "../support/broker.ts";

const JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx256m"];

/** Runs one of Kafka's own command-line tools against the test broker and gives its output. */
export async function kafkaTool(mainClass: string, args: readonly string[], input?: string): Promise<string> {
  const classpath = path.join(await kafkaJars(), "*");
  const bootstrap = ["--bootstrap-server", await sharedBroker()];
  const child = spawn("java", [...JVM, "-cp", classpath, mainClass, ...bootstrap, ...args], { stdio: "pipe" });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += chunk;
  });
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  child.stdin.end(input);
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`${mainClass} failed with exit code ${code}:\n${errors.slice(-2000)}`);
  return output;
}

/** Kafka's console consumer: `count` records of a topic, a line each, as `properties` of its formatter ask. */
export async function consoleConsumer(
  topic: string,
  count: number,
  properties: readonly string[],
  args: readonly string[] = [],
): Promise<string[]> {
  const output = await kafkaTool("org.apache.kafka.tools.consumer.ConsoleConsumer", [
    ...["--topic", topic, "--from-beginning", "--max-messages", String(count), "--timeout-ms", "15000"],
    ...properties.flatMap((property) => ["--property", property]),
    ...args,
  ]);
  return output.split("\n").filter((line) => line !== "");
}

/** Whether Java is there at all: these tests need it. */
export const hasJava = () =>
  new Promise<boolean>((resolve) => execFile("java", ["-version"], (error) => resolve(error === null)));
