import { MillraceError, Refusal } from "../error.ts";
import { BrokerConnection, isPassing } from "./broker-connection.ts";
import type { KafkaConfig } from "./config.ts";
import { BrokerRefused, kafkaErrorName, RETRIABLE } from "./errors.ts";
import {
  createTopicsV7,
  deleteTopicsV5,
  findCoordinatorV4,
  listOffsetsV7,
  type messages,
  metadataV12,
} from "./kafka-package.ts";
import { similarNames } from "./similar-names.ts";
import { authenticationWanted, UnreachableBroker, unreachable } from "./unreachable.ts";

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly name: string;
  /** Another one when the topic was deleted and made again under its name. */
  readonly id: string;
  readonly internal: boolean;
  /** By partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface TopicOptions {
  /** The broker's default when absent. */
  partitions?: number;
  replicationFactor?: number;
  /** Topic settings, e.g. `{ "retention.ms": "-1" }`. */
  config?: Readonly<Record<string, string>>;
}

/** What a connection is for; requests that wait on the broker do not share one with others. */
export type Lane = "control" | "fetch" | "produce" | "group" | "transaction";

/** How long a passing trouble (an election, a restart) is waited out by single questions, ms. */
const PATIENCE = 20_000;

/**
 * A Kafka cluster: its brokers, its topics, and connections to them that heal.
 * Safe to share between fetchers, producers and group members; closing it closes their connections.
 */
export class Cluster {
  readonly config: KafkaConfig;
  #brokers = new Map<number, { host: string; port: number }>();
  readonly #topics = new Map<string, TopicMetadata>();
  readonly #connections = new Map<string, BrokerConnection>();
  #seed: BrokerConnection | undefined;
  #closed = false;

  private constructor(config: KafkaConfig) {
    this.config = config;
  }

  /**
   * @throws {UnreachableBroker} `UNREACHABLE_BROKER`, `AUTHENTICATION_FAILED` or `TLS_FAILED` when no bootstrap server answers; each is
   *   tried once, for at most `connectTimeout` and 10 s more where something accepts the connection and says nothing
   */
  static async connect(config: KafkaConfig): Promise<Cluster> {
    const cluster = new Cluster(config);
    try {
      await cluster.#refresh([]);
    } catch (error) {
      await cluster.close();
      if (error instanceof MillraceError) throw error;
      const closed = /Connection closed/.test((error as Error).message);
      throw (closed && !config.sasl ? authenticationWanted : unreachable)(config.bootstrapServers, error);
    }
    return cluster;
  }

  /**
   * Metadata of these topics, asked anew.
   * @throws {MillraceError} `TOPIC_NOT_FOUND`, naming similar ones
   */
  async metadata(topics: readonly string[]): Promise<Map<string, TopicMetadata>> {
    const found = new Map<string, TopicMetadata>();
    if (topics.length === 0) return found;
    await this.retry("reading metadata", async () => {
      const response = await this.#refresh(topics);
      for (const topic of response.topics) {
        if (topic.errorCode === 0) continue;
        const name = kafkaErrorName(topic.errorCode);
        if (name === "UNKNOWN_TOPIC_OR_PARTITION" || name === "INVALID_TOPIC_EXCEPTION")
          throw await this.#notFound(topic.name ?? "");
        throw new BrokerRefused(`reading the metadata of topic "${topic.name}"`, name);
      }
    });
    for (const topic of topics) found.set(topic, this.#topics.get(topic)!);
    return found;
  }

  /** Every topic there is, except Kafka's own. */
  async topics(): Promise<Map<string, TopicMetadata>> {
    const response = await this.retry("listing topics", () => this.#refresh(null));
    const names = response.topics
      .filter((topic) => topic.errorCode === 0 && !topic.isInternal)
      .map(({ name }) => name!);
    return new Map(names.sort().map((name) => [name, this.#topics.get(name)!]));
  }

  /** Names of the topics in which the pattern is found (`^phone-` anchors it), sorted. */
  async topicsMatching(pattern: RegExp | string): Promise<string[]> {
    // without g and y, which make a pattern remember where it was
    const search =
      typeof pattern === "string"
        ? new RegExp(pattern)
        : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    return [...(await this.topics()).keys()].filter((name) => search.test(name));
  }

  /** Creates a topic and waits until its partitions have leaders. True when it is new, false when it was there. */
  async createTopic(name: string, options: TopicOptions = {}): Promise<boolean> {
    const configs = Object.entries(options.config ?? {}).map(([key, value]) => ({ name: key, value }));
    const request = {
      name,
      numPartitions: options.partitions ?? -1,
      replicationFactor: options.replicationFactor ?? -1,
      assignments: [],
      configs,
    };
    const created = await this.retry(`creating topic "${name}"`, async () => {
      const broker = await this.anyBroker();
      const [topic] = (await broker.request(createTopicsV7.api, [request], 15_000, false)).topics;
      const error = kafkaErrorName(topic!.errorCode);
      if (error === "TOPIC_ALREADY_EXISTS") return false;
      if (topic!.errorCode !== 0) {
        const reason = topic!.errorMessage ?? "no reason given";
        // brokers the controller has not heard of for a moment (a pause, an overloaded machine) come back by themselves
        const fenced = error === "INVALID_REPLICATION_FACTOR" && reason.includes("currently fenced");
        throw new BrokerRefused(`creating topic "${name}" (${reason})`, fenced ? "BROKER_NOT_AVAILABLE" : error);
      }
      return true;
    });
    await this.retry(`waiting for the leaders of topic "${name}"`, async () => {
      const response = await this.#refresh([name]);
      const topic = response.topics[0]!;
      if (topic.errorCode !== 0) throw new BrokerRefused(`creating topic "${name}"`, kafkaErrorName(topic.errorCode));
      if (topic.partitions.some(({ leaderId }) => leaderId < 0))
        throw new BrokerRefused(`creating topic "${name}"`, "LEADER_NOT_AVAILABLE");
    });
    return created;
  }

  /** @throws {MillraceError} `TOPIC_NOT_FOUND` */
  async deleteTopic(name: string): Promise<void> {
    await this.retry(`deleting topic "${name}"`, async () => {
      const broker = await this.anyBroker();
      const [topic] = (await broker.request(deleteTopicsV5.api, [{ name }], 15_000)).responses;
      const error = kafkaErrorName(topic!.errorCode);
      if (error === "UNKNOWN_TOPIC_OR_PARTITION") throw await this.#notFound(name);
      if (topic!.errorCode !== 0) throw new BrokerRefused(`deleting topic "${name}"`, error);
    });
    this.#topics.delete(name);
  }

  /**
   * One offset per partition: the first one kept, the end, or the first record at or after a time.
   * A time behind the last record gives the end. With `read_committed` the end is the last stable offset.
   */
  async listOffsets(
    topic: string,
    when: "earliest" | "latest" | number,
    isolation: "read_committed" | "read_uncommitted" = "read_uncommitted",
  ): Promise<Map<number, number>> {
    const code = when === "earliest" ? -2n : when === "latest" ? -1n : BigInt(Math.floor(when));
    const offsets = new Map<number, number>();
    await this.retry(`listing the offsets of topic "${topic}"`, async () => {
      const { partitions } = (await this.metadata([topic])).get(topic)!;
      const wanted = partitions.filter(({ partition }) => !offsets.has(partition));
      const leaders = Map.groupBy(wanted, ({ leader }) => leader);
      const answers = [...leaders].map(async ([leader, led]) => {
        const broker = this.broker(leader, "control");
        const response = await broker.request(listOffsetsV7.api, -1, isolation === "read_committed" ? 1 : 0, [
          {
            name: topic,
            partitions: led.map(({ partition }) => ({
              partitionIndex: partition,
              currentLeaderEpoch: -1,
              timestamp: code,
            })),
          },
        ]);
        for (const { partitionIndex, errorCode, offset } of response.topics[0]!.partitions) {
          if (errorCode !== 0)
            throw new BrokerRefused(`listing the offsets of topic "${topic}"`, kafkaErrorName(errorCode));
          offsets.set(partitionIndex, Number(offset));
        }
      });
      await Promise.all(answers);
    });
    if ([...offsets.values()].includes(-1)) {
      const ends = await this.listOffsets(topic, "latest", isolation);
      for (const [partition, offset] of offsets) if (offset === -1) offsets.set(partition, ends.get(partition)!);
    }
    return new Map([...offsets].sort(([a], [b]) => a - b));
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What is known of a topic without asking; undefined before its first {@link metadata}. */
  known(topic: string): TopicMetadata | undefined {
    return this.#topics.get(topic);
  }

  /** The connection to a node for one purpose. @throws {BrokerRefused} `LEADER_NOT_AVAILABLE` for a node that is gone */
  broker(node: number, lane: Lane, suffix = "", requestTimeout?: number): BrokerConnection {
    if (this.#closed) throw new UnreachableBroker({ code: "CLOSED", what: "The cluster connection was closed." });
    const address = this.#brokers.get(node);
    if (address === undefined) throw new BrokerRefused(`looking for broker ${node}`, "LEADER_NOT_AVAILABLE");
    const name = `${address.host}:${address.port} ${lane} ${suffix}`;
    let connection = this.#connections.get(name);
    if (connection === undefined) {
      connection = new BrokerConnection(address.host, address.port, this.config, requestTimeout);
      this.#connections.set(name, connection);
    }
    return connection;
  }

  /** Closes and forgets a connection made with a suffix of its own. */
  async release(lane: Lane, suffix: string): Promise<void> {
    for (const [name, connection] of this.#connections) {
      if (!name.endsWith(` ${lane} ${suffix}`)) continue;
      this.#connections.delete(name);
      await connection.close();
    }
  }

  /** The node that coordinates a consumer group or a transactional id. */
  async coordinator(kind: "group" | "transaction", key: string): Promise<number> {
    return await this.retry(`finding the coordinator of "${key}"`, async () => {
      const broker = await this.anyBroker();
      const response = await broker.request(findCoordinatorV4.api, kind === "group" ? 0 : 1, [key]);
      const { errorCode, nodeId, host, port } = response.coordinators[0]!;
      if (errorCode !== 0) throw new BrokerRefused(`finding the coordinator of "${key}"`, kafkaErrorName(errorCode));
      this.#brokers.set(nodeId, { host, port });
      return nodeId;
    });
  }

  /** A broker that answers: one that metadata named, else a bootstrap server. */
  async anyBroker(): Promise<BrokerConnection> {
    for (const node of this.#brokers.keys()) {
      const broker = this.broker(node, "control");
      try {
        await broker.connected();
        return broker;
      } catch (error) {
        if (this.#closed || !isPassing(error)) throw error;
      }
    }
    return await this.#bootstrap();
  }

  /** Repeats `attempt` through passing troubles, for `patience` ms, refreshing nothing by itself. */
  async retry<T>(doing: string, attempt: () => Promise<T>, patience = PATIENCE): Promise<T> {
    const end = performance.now() + patience;
    for (let pause = 20; ; pause = Math.min(pause * 2, 1000)) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#closed || !isPassing(error) || performance.now() + pause > end) {
          if (error instanceof MillraceError || this.#closed) throw error;
          throw new MillraceError({
            code: "BROKER_FAILED",
            what: `${doing[0]!.toUpperCase()}${doing.slice(1)} failed: ${(error as Error).message}`,
            cause: error,
          });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const connections = [...this.#connections.values(), ...(this.#seed ? [this.#seed] : [])];
    this.#connections.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  /** Asks for metadata and keeps it; null asks for all topics. Errors of single topics stay in the answer. */
  async #refresh(topics: readonly string[] | null): Promise<messages.metadataV12.MetadataResponse> {
    const broker = await this.anyBroker();
    const response = await broker.request(metadataV12.api, topics === null ? null : [...topics], false, false);
    const brokers = new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    if (brokers.size > 0) this.#brokers = brokers;
    for (const topic of response.topics) {
      if (topic.errorCode !== 0) {
        this.#topics.delete(topic.name ?? "");
        continue;
      }
      const partitions = topic.partitions
        .map(({ partitionIndex, leaderId, leaderEpoch }) => ({
          partition: partitionIndex,
          leader: leaderId,
          leaderEpoch,
        }))
        .sort((a, b) => a.partition - b.partition);
      this.#topics.set(topic.name!, { name: topic.name!, id: topic.topicId, internal: topic.isInternal, partitions });
    }
    return response;
  }

  async #bootstrap(): Promise<BrokerConnection> {
    const servers = this.config.bootstrapServers.split(",").map((server) => server.trim());
    const causes: unknown[] = [];
    for (const server of servers) {
      const { host, port } = hostAndPort(server);
      if (this.#seed?.address !== `${host}:${port}`) {
        await this.#seed?.close();
        this.#seed = new BrokerConnection(host, port, this.config);
      }
      try {
        await this.#seed.connected();
        return this.#seed;
      } catch (error) {
        causes.push(error);
      }
    }
    const worst = causes.find((cause) => cause instanceof UnreachableBroker && cause.code !== "UNREACHABLE_BROKER");
    throw worst ?? (servers.length === 1 ? causes[0] : unreachable(servers.join(", "), causes[0]));
  }

  async #notFound(topic: string): Promise<MillraceError> {
    const names = [...(await this.topics().catch(() => new Map<string, TopicMetadata>())).keys()];
    const similar = similarNames(topic, names);
    return new MillraceError({
      code: "TOPIC_NOT_FOUND",
      what: `There is no topic "${topic}".`,
      where: `Kafka at ${this.config.bootstrapServers}`,
      remedies: [
        ...(similar.length > 0 ? [`did you mean ${similar.map((name) => `"${name}"`).join(" or ")}?`] : []),
        "see what there is: npx millrace topics",
      ],
    });
  }
}

function hostAndPort(server: string): { host: string; port: number } {
  const colon = server.lastIndexOf(":");
  const port = Number(server.slice(colon + 1));
  const host = server.slice(0, colon).replace(/^\[|\]$/g, "");
  if (colon < 1 || !(port > 0 && port < 65536))
    throw new Refusal({
      code: "BAD_KAFKA_SETTING",
      what: `"${server}" is not a broker address.`,
      where: "KAFKA_BOOTSTRAP_SERVERS",
      remedies: ["write host:port, several separated by commas"],
    });
  return { host, port };
}

/** Whether a per-partition error code asks for new metadata and another try. */
export const isRetriableCode = (code: number) => RETRIABLE.has(kafkaErrorName(code));
