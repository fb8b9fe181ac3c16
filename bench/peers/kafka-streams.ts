import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { cacheFolder, runTool } from "../../kernel/broker/jars.ts";
import type { Command, JobRun, Peer } from "../side-by-side/peer.ts";

const source = path.join(import.meta.dirname, "kafka-streams");
const target = path.join(cacheFolder(), "bench-kafka-streams");
const stamp = path.join(target, "source.sha256");

/** Kafka Streams with Jackson, two threads, RocksDB, and suppress for windows; Maven builds it into the cache folder. */
export const kafkaStreams: Peer = {
  name: "kafka-streams",
  title: "Kafka Streams 4.1.0, 2 threads",
  async prepare(progress) {
    const wanted = await digest(source);
    if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return;
    progress("building the Kafka Streams jobs by Maven (once) …");
    await runTool(
      "mvn",
      ["-q", "-B", "-f", path.join(source, "pom.xml"), `-Dbench.target=${target}`, "clean", "process-classes"],
      "install Maven and a JDK of Java 17 or newer (Debian: apt-get install maven openjdk-17-jdk-headless)",
    );
    await writeFile(stamp, wanted);
  },
  command: (run) => ({
    command: "java",
    args: [
      "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
      "-cp",
      [path.join(target, "classes"), path.join(target, "libs", "*")].join(path.delimiter),
      "millrace.bench.Main",
    ],
    env: {
      KAFKA_BOOTSTRAP_SERVERS: run.servers,
      APPLICATION_ID: run.id,
      WORKLOAD: run.workload,
      INPUT: run.input,
      OUTPUT: run.output,
      GUARANTEE: run.guarantee === "exactly-once" ? "exactly_once_v2" : "at_least_once",
      THREADS: "2",
      COMMIT_INTERVAL_MS: String(run.commitInterval),
      STATE_DIR: run.stateDir,
    },
  }),
};

/** A job that goes on until it is stopped. */
export function livingKafkaStreams(run: Omit<JobRun, "workload" | "count">): Command {
  const command = kafkaStreams.command({ ...run, workload: "w2", count: 0 });
  return { ...command, env: { ...command.env, UNTIL_END: "false" } };
}

async function digest(folder: string): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  for (const file of files.sort()) hash.update(path.relative(folder, file)).update(await readFile(file));
  return hash.digest("hex");
}
