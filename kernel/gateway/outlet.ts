import type { WebSocket } from "ws";
import { type Cluster, type FetchedPartition, Fetcher, PartitionWatch } from "../../lib/log/index.ts";
import { stderrLog as log } from "../../lib/run/job/log.ts";

export interface OutletOptions {
  readonly topics: readonly string[];
  /** Records of each topic that a browser is shown when it comes. */
  readonly remembered: number;
  /** Bytes waiting for one browser beyond which records are left out for it. */
  readonly maxBufferedBytes: number;
}

/** How often a topic that is not there yet is looked for, ms. */
const LOOK = 1000;
const PAUSE = 1000;

interface Listener {
  readonly topics: ReadonlySet<string>;
  dropped: number;
}

/**
 * Records of topics to websockets, one JSON text each: `{"topic":…,"partition":…,"offset":…,"timestamp":…,"key":…,"value":…}`. One reader serves
 * everybody, committed records only. A browser that is too slow misses records and is told how many (`{"dropped": n}`); it slows nobody.
 */
export class Outlet {
  readonly #cluster: Cluster;
  readonly #options: OutletOptions;
  readonly #fetcher: Fetcher;
  readonly #listeners = new Map<WebSocket, Listener>();
  readonly #remembered = new Map<string, string[]>();
  readonly #following = new Set<string>();
  #watch: PartitionWatch | undefined;
  #closed = false;
  #reading: Promise<void> = Promise.resolve();
  readonly counts = { sent: 0, dropped: 0 };

  private constructor(cluster: Cluster, options: OutletOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#fetcher = new Fetcher(cluster, { maxBytes: 4 * 2 ** 20, maxWait: 250 });
    for (const topic of options.topics) this.#remembered.set(topic, []);
  }

  /** Reads topics from their last records on; one that is not there yet from its first, once somebody makes it. */
  static async open(cluster: Cluster, options: OutletOptions): Promise<Outlet> {
    const outlet = new Outlet(cluster, options);
    await outlet.#follow("last");
    outlet.#reading = outlet.#read();
    return outlet;
  }

  get topics(): readonly string[] {
    return this.#options.topics;
  }

  /** What has been since the last records began, then what comes. */
  connect(socket: WebSocket, topics: readonly string[]): void {
    for (const topic of topics) for (const text of this.#remembered.get(topic) ?? []) socket.send(text);
    this.#listeners.set(socket, { topics: new Set(topics), dropped: 0 });
    socket.on("close", () => this.#listeners.delete(socket));
  }

  async #follow(from: "last" | "first"): Promise<void> {
    const missing = this.#options.topics.filter((topic) => !this.#following.has(topic));
    if (missing.length === 0) return;
    const there = await this.#cluster.topics();
    for (const topic of missing.filter((name) => there.has(name))) {
      const first = await this.#cluster.listOffsets(topic, "earliest");
      const ends = await this.#cluster.listOffsets(topic, "latest", "read_committed");
      for (const [partition, end] of ends) {
        const start = from === "first" ? 0 : end - this.#options.remembered;
        this.#fetcher.assign(topic, partition, Math.max(first.get(partition)!, start));
      }
      this.#following.add(topic);
    }
    this.#watch?.close();
    this.#watch = new PartitionWatch(this.#cluster, [...this.#following], (topic, before, now) => {
      for (let partition = before; partition < now; partition++) this.#fetcher.assign(topic, partition, 0);
    });
  }

  async #read(): Promise<void> {
    let looked = Date.now();
    while (!this.#closed) {
      try {
        if (this.#following.size < this.#options.topics.length && Date.now() - looked > LOOK) {
          looked = Date.now();
          await this.#follow("first");
        }
        if (this.#following.size === 0) await pause(LOOK / 4);
        else for (const fetched of await this.#fetcher.poll()) this.#show(fetched);
        for (const [socket, listener] of this.#listeners) this.#tellDropped(socket, listener);
      } catch (error) {
        if (this.#closed) return;
        log.warn("reading failed", { error: String((error as Error).message ?? error) });
        await pause(PAUSE);
      }
    }
  }

  #show({ topic, partition, columns, error }: FetchedPartition): void {
    if (error !== undefined) {
      log.warn("reading of a partition stopped", { topic, partition, error: error.message });
      this.#following.delete(topic); // a topic that was deleted and is made anew is found again
    }
    const remembered = this.#remembered.get(topic)!;
    for (let row = 0; row < columns.count; row++) {
      const text = shown(topic, partition, columns, row);
      remembered.push(text);
      for (const [socket, listener] of this.#listeners)
        if (listener.topics.has(topic)) this.#send(socket, listener, text);
    }
    remembered.splice(0, remembered.length - this.#options.remembered);
  }

  #send(socket: WebSocket, listener: Listener, text: string): void {
    if (socket.bufferedAmount > this.#options.maxBufferedBytes) {
      listener.dropped++;
      this.counts.dropped++;
      return;
    }
    this.#tellDropped(socket, listener);
    socket.send(text);
    this.counts.sent++;
  }

  #tellDropped(socket: WebSocket, listener: Listener): void {
    if (listener.dropped === 0 || socket.bufferedAmount > this.#options.maxBufferedBytes) return;
    socket.send(JSON.stringify({ dropped: listener.dropped }));
    listener.dropped = 0;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#watch?.close();
    await this.#fetcher.close();
    await this.#reading;
  }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function shown(topic: string, partition: number, columns: FetchedPartition["columns"], row: number): string {
  const text = ({ bytes, starts, ends, nulls }: typeof columns.keys) =>
    nulls?.[row] === 1
      ? null
      : Buffer.from(bytes.buffer, bytes.byteOffset + starts[row]!, ends[row]! - starts[row]!).toString();
  const place = { topic, partition, offset: columns.offsets[row], timestamp: columns.timestamps[row] };
  return JSON.stringify({ ...place, key: text(columns.keys), value: parsed(text(columns.values)) });
}

/** A JSON value as it is, any other text as text. */
function parsed(text: string | null): unknown {
  try {
    return text === null ? null : JSON.parse(text);
  } catch {
    return text;
  }
}
