import { spawn } from "node:child_process";
import { copyFile, mkdir, readdir, rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { MillraceError } from "../../lib/error.ts";

export const KAFKA_VERSION = "4.1.0";

/** Where downloads that outlive a checkout are kept: `MILLRACE_CACHE`, else the user's cache folder. */
export function cacheFolder(): string {
  const base = process.env.MILLRACE_CACHE ?? process.env.XDG_CACHE_HOME;
  return base ? path.join(base, "millrace") : path.join(os.homedir(), ".cache", "millrace");
}

/** A missing tool, a failed download, a port in use: what happened, and the ways out. */
export class BrokerError extends MillraceError {
  constructor(code: string, what: string, remedies: readonly string[]) {
    super({ code, what, remedies });
  }
}

export const WAYS_OUT = [
  "use a Kafka you already have: KAFKA_BOOTSTRAP_SERVERS=host:9092",
  "or start one with Docker: docker compose up -d   (compose.yaml in the Millrace folder)",
];

/** Runs a tool and collects its output; a missing tool is a {@link BrokerError} that names its package. */
export function runTool(command: string, args: string[], hint: string, cwd?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new BrokerError("MISSING_TOOL", `${command} was not found on this machine.`, [hint, ...WAYS_OUT])
          : error,
      ),
    );
    child.on("exit", (code) =>
      code === 0
        ? resolve(output)
        : reject(
            new BrokerError(
              "TOOL_FAILED",
              `${command} ${args[0] ?? ""} failed with exit code ${code}:\n${output.trim().split("\n").slice(-8).join("\n")}`,
              [hint, ...WAYS_OUT],
            ),
          ),
    );
  });
}

/** The folder with Kafka's jars; resolved by Maven once and kept in the cache. */
export async function kafkaJars(progress: (line: string) => void = () => {}): Promise<string> {
  const folder = path.join(cacheFolder(), `kafka-${KAFKA_VERSION}`);
  const present = await readdir(folder).catch(() => [] as string[]);
  if (present.some((file) => file.startsWith("kafka_2.13-"))) return folder;
  progress(`resolving Kafka ${KAFKA_VERSION} by Maven (once) …`);
  await mkdir(path.dirname(folder), { recursive: true });
  const work = `${folder}.${process.pid}`;
  await mkdir(work, { recursive: true });
  try {
    await copyFile(path.join(import.meta.dirname, "pom.xml"), path.join(work, "pom.xml"));
    await runTool(
      "mvn",
      ["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=libs"],
      "install Maven (Debian: apt-get install maven)",
      work,
    );
    await rename(path.join(work, "libs"), folder).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error; // another process was first
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return folder;
}
