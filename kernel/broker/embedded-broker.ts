import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { BrokerError, kafkaJars, runTool, WAYS_OUT } from "./jars.ts";

export interface BrokerOptions {
  /** Port to listen on (127.0.0.1 only); a free one by default. */
  port?: number;
  /** Where the log lives; a temporary folder, removed on stop, by default. */
  dataDir?: string;
  /** Partition count of topics created without one; 4 by default. */
  partitions?: number;
  /** Heap in MiB; 768 by default. */
  heap?: number;
  /** Listeners on 127.0.0.1 besides the plaintext one; `properties` configures them (`listener.name.<name>.…`). */
  listeners?: readonly BrokerListener[];
  /** Further lines for server.properties. */
  properties?: Record<string, string>;
  /** Further arguments of `kafka-storage format`, e.g. `--add-scram`. */
  format?: readonly string[];
  progress?: (line: string) => void;
}

export interface BrokerListener {
  name: string;
  protocol: "PLAINTEXT" | "SSL" | "SASL_PLAINTEXT" | "SASL_SSL";
  port: number;
}

/**
 * A real Kafka broker (KRaft, one node) as a child process: what `millrace broker`, the demo and the tests run on.
 * Data never expires by age, so that records with old timestamps stay.
 */
export class EmbeddedBroker {
  readonly port: number;
  readonly dataDir: string;
  #child: ChildProcess | undefined;
  readonly #command: string[];
  readonly #removeData: boolean;

  private constructor(port: number, dataDir: string, command: string[], removeData: boolean) {
    this.port = port;
    this.dataDir = dataDir;
    this.#command = command;
    this.#removeData = removeData;
  }

  get bootstrapServers(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  static async start(options: BrokerOptions = {}): Promise<EmbeddedBroker> {
    const progress = options.progress ?? (() => {});
    await runTool("java", ["-version"], "install Java 17 or newer (Debian: apt-get install openjdk-17-jre-headless)");
    const jars = await kafkaJars(progress);
    const port = options.port ?? (await freePort());
    if (options.port !== undefined) await assertPortFree(port);
    const controllerPort = await freePort();
    const removeData = options.dataDir === undefined;
    const dataDir = options.dataDir ?? (await mkdtemp(path.join(os.tmpdir(), "millrace-broker-")));
    await mkdir(dataDir, { recursive: true });
    const config = path.join(dataDir, "server.properties");
    await writeFile(config, serverProperties(port, controllerPort, dataDir, options));
    const classpath = path.join(jars, "*");
    await writeFile(path.join(dataDir, "log4j2.yaml"), LOGGING);
    const format = ["-cp", classpath, "kafka.tools.StorageTool", "format", "--ignore-formatted"];
    await runTool(
      "java",
      [...format, "-t", clusterId(), "-c", config, ...(options.format ?? [])],
      "see the lines above",
    );
    const command = [
      `-Xmx${options.heap ?? 768}m`,
      "-XX:TieredStopAtLevel=1",
      "-XX:+UseSerialGC",
      `-Dlog4j2.configurationFile=${path.join(dataDir, "log4j2.yaml")}`,
      "-cp",
      classpath,
      "kafka.Kafka",
      config,
    ];
    const broker = new EmbeddedBroker(port, dataDir, command, removeData);
    progress(`starting Kafka on 127.0.0.1:${port} …`);
    await broker.restart();
    return broker;
  }

  /** Starts the process again on the same port and data, after {@link kill} or {@link stop} with `keepData`. */
  async restart(): Promise<void> {
    const child = spawn("java", this.#command, { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    let tail = "";
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(() => fail("did not start within two minutes"), 120_000);
      const fail = (why: string) => {
        clearTimeout(deadline);
        child.kill("SIGKILL");
        reject(
          new BrokerError("BROKER_FAILED", `Kafka ${why}:\n${tail.trim().split("\n").slice(-8).join("\n")}`, WAYS_OUT),
        );
      };
      const read = (chunk: Buffer) => {
        tail = (tail + chunk).slice(-8000);
        if (tail.includes("Kafka Server started")) {
          clearTimeout(deadline);
          child.off("exit", onExit);
          child.stdout.off("data", read).resume();
          child.stderr.off("data", read).resume();
          resolve();
        }
      };
      const onExit = (code: number | null) => fail(`exited with code ${code}`);
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.on("exit", onExit);
    });
    process.once("exit", () => child.kill("SIGKILL"));
  }

  /** `kill -9`: the data stays, {@link restart} goes on from it. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async stop(options: { keepData?: boolean } = {}): Promise<void> {
    await this.#end("SIGTERM");
    if (this.#removeData && !options.keepData) await rm(this.dataDir, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    const forced = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await gone;
    clearTimeout(forced);
  }
}

/** A TCP port of 127.0.0.1 that is free now. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function assertPortFree(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", () =>
      reject(
        new BrokerError("PORT_IN_USE", `Port ${port} of 127.0.0.1 is in use.`, [
          "choose another port with --port",
          ...WAYS_OUT,
        ]),
      ),
    );
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

/** 16 bytes as base64url; one that begins with a dash would be taken for an option. */
function clusterId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? clusterId() : id;
}

const LOGGING = `Configuration:
  Appenders:
    Console: { name: STDOUT, PatternLayout: { pattern: "[%d] %p %m (%c)%n" } }
  Loggers:
    Root: { level: INFO, AppenderRef: [{ ref: STDOUT }] }
`;

function serverProperties(port: number, controllerPort: number, dataDir: string, options: BrokerOptions): string {
  const further = options.listeners ?? [];
  const listeners = [
    `PLAINTEXT://127.0.0.1:${port}`,
    ...further.map((listener) => `${listener.name}://127.0.0.1:${listener.port}`),
  ].join(",");
  const protocols = further.map(({ name, protocol }) => `,${name}:${protocol}`).join("");
  const properties: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `${listeners},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": listeners,
    "listener.security.protocol.map": `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${protocols}`,
    "inter.broker.listener.name": "PLAINTEXT",
    "controller.listener.names": "CONTROLLER",
    "log.dirs": path.join(dataDir, "log"),
    "num.partitions": String(options.partitions ?? 4),
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
    // a killed broker may register again as soon as this has passed
    "broker.session.timeout.ms": "1000",
    "broker.heartbeat.interval.ms": "200",
    "log.retention.ms": "-1",
    "auto.create.topics.enable": "false",
    "message.max.bytes": "16777216",
    "replica.fetch.max.bytes": "16777216",
    ...options.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
