import { readdir } from "node:fs/promises";
import path from "node:path";
import { MillraceError } from "../../../lib/error.ts";
import { type Finding, problem, sound } from "./finding.ts";
import { run } from "./run.ts";

const ROOT = path.resolve(import.meta.dirname, "..", "..", "..");
const LIB = path.join(ROOT, "lib");
const KERNEL = path.join(ROOT, "kernel");

/** Packages with a binary of their own, each with the folder whose code imports it. */
const NATIVE = [
  ["nodejs-polars", LIB],
  ["@duckdb/node-api", LIB],
  ["zeromq", KERNEL],
] as const;

export function checkNode(version = process.versions.node): Finding {
  return Number.parseInt(version, 10) >= 24
    ? sound("node", `Node ${version}`)
    : problem(
        "node",
        `this is Node ${version}; 24 or newer is needed`,
        "call it as `npx millrace`, or install Node 24",
      );
}

/** Whether the native packages load. Each in a process of its own: a binary for another machine may end the process. */
export function checkPackages(
  packages: readonly (readonly [name: string, from: string])[] = NATIVE,
): Promise<Finding[]> {
  return Promise.all(
    packages.map(async ([name, from]) => {
      const ran = await run(process.execPath, ["--input-type=module", "-e", `await import(${JSON.stringify(name)})`], {
        cwd: from,
      });
      if (ran?.code === 0) return sound(name, "loads");
      const why = ran?.stderr.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? "its process ended";
      return problem(name, `does not load: ${why}`, `in ${ROOT}, on Node 24 or newer: npm install`);
    }),
  );
}

/** The Kafka that is set, else what the embedded one needs. */
export async function checkKafka(env: NodeJS.ProcessEnv = process.env): Promise<Finding[]> {
  const servers = env.KAFKA_BOOTSTRAP_SERVERS;
  if (!servers)
    return [sound("kafka", "KAFKA_BOOTSTRAP_SERVERS is not set: the embedded one"), ...(await checkEmbedded())];
  try {
    // here, not above: it loads packages that may be what is broken
    const { Cluster, kafkaConfigFromEnv } = await import("../../../lib/log/index.ts");
    const cluster = await Cluster.connect({ connectTimeout: 3000, requestTimeout: 5000, ...kafkaConfigFromEnv(env) });
    await cluster.close();
    return [sound("kafka", `${servers} answers`)];
  } catch (error) {
    if (error instanceof MillraceError) return [problem("kafka", error.what, error.remedies.join("; or "))];
    return [problem("kafka", `cannot be asked: ${(error as Error).message.split("\n")[0]}`, `in ${ROOT}: npm install`)];
  }
}

async function checkEmbedded(): Promise<Finding[]> {
  const own = "or use a Kafka you have: KAFKA_BOOTSTRAP_SERVERS=host:9092";
  const java = await run("java", ["-version"]);
  // `openjdk version "17.0.15"`, and "1.8.0" for Java 8
  const version = /version "([\d.]+)/.exec(java?.stderr ?? "")?.[1];
  const install = `install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless), ${own}`;
  const findings: Finding[] = [
    version === undefined
      ? problem("java", "no Java, which the embedded Kafka runs on", install)
      : Number.parseInt(version, 10) < 17
        ? problem("java", `Java ${version} is too old for the embedded Kafka`, install)
        : sound("java", `Java ${version}`),
  ];
  const { cacheFolder, KAFKA_VERSION } = await import("../../broker/jars.ts");
  const jars = path.join(cacheFolder(), `kafka-${KAFKA_VERSION}`);
  const present = await readdir(jars).catch(() => [] as string[]);
  if (present.some((file) => file.startsWith("kafka_2.13-"))) findings.push(sound("kafka jars", jars));
  else if ((await run("mvn", ["--version"]))?.code === 0)
    findings.push(sound("kafka jars", "Maven fetches them on first use"));
  else
    findings.push(
      problem(
        "kafka jars",
        "not fetched yet, and no Maven to do it",
        `install Maven (Debian: apt-get install maven), ${own}`,
      ),
    );
  return findings;
}
