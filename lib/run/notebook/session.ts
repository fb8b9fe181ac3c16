import { Cluster, kafkaConfigFromEnv } from "../../log/index.ts";
import type { Schema } from "../../schema.ts";

/** The offsets of a topic that were read: partition -> [first, after the last]. */
export type Ranges = ReadonlyMap<number, readonly [number, number]>;

/** topic -> ranges */
export type TopicRanges = ReadonlyMap<string, Ranges>;

/** After the last reader is gone, connections stay open this long for the next cell, and no longer: a Node program may end. */
const LINGER = 300;

/** What the cells of one notebook (or one Node program) share: the connection, inferred schemas, what was shown, what was run. */
export class Session {
  /** Inferred wire schemas by source node id: the same source has the same schema in every cell. */
  readonly schemas = new Map<string, Schema>();
  /** What the latest reader of a source has read, by source node id. A sink's `run` goes over it. */
  readonly shown = new Map<string, { readonly ranges: TopicRanges }>();
  /** Ids of the sinks that were run. */
  readonly sinksRun = new Set<string>();
  #cluster: { config: string; connected: Promise<Cluster> } | undefined;
  #users = 0;
  #closing: NodeJS.Timeout | undefined;

  /** The connection as the environment describes it; to be given back by {@link release}. */
  async acquire(): Promise<Cluster> {
    const config = kafkaConfigFromEnv();
    const text = JSON.stringify(config);
    clearTimeout(this.#closing);
    if (this.#cluster?.config !== text) {
      const former = this.#cluster;
      // another cluster from now on; readers of the former one keep it until they end
      if (former !== undefined && this.#users === 0) void former.connected.then((cluster) => cluster.close());
      this.#cluster = { config: text, connected: Cluster.connect(config) };
    }
    const { connected } = this.#cluster!;
    this.#users++;
    try {
      return await connected;
    } catch (error) {
      if (this.#cluster?.connected === connected) this.#cluster = undefined;
      this.#users--;
      throw error;
    }
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#closing = setTimeout(() => {
      const cluster = this.#cluster;
      this.#cluster = undefined;
      void cluster?.connected.then((connected) => connected.close());
    }, LINGER);
  }
}
