import type { WebSocket } from "ws";
import { type Cluster, Producer, partitionByKey, type RecordColumns } from "../../lib/log/index.ts";
import { stderrLog as log } from "../../lib/run/job/log.ts";
import { byteColumn } from "../../lib/run/job/samples.ts";
import { type Reading, type ReadingFields, readMessage } from "./reading.ts";

export interface InletOptions extends ReadingFields {
  readonly topic: string;
  /** Bytes taken over and not yet acknowledged by Kafka at which phones are no longer read from. */
  readonly maxPendingBytes: number;
}

/** Try again later, in the words of RFC 6455. */
const TRY_AGAIN_LATER = 1013;

interface Waiting {
  readonly socket: WebSocket;
  readonly readings: readonly Reading[];
}

/**
 * Readings from websockets into one topic. A connection's readings are written in the order in which they came, and answered with `{"accepted": n}`
 * (all of this connection so far) once every replica in sync has them; lines that are no readings with `{"rejected": […]}`. While Kafka is
 * slower than the phones they are not read from, so that what waits is bounded and TCP slows them down.
 */
export class Inlet {
  readonly #producer: Producer;
  readonly #partitions: number;
  readonly #options: InletOptions;
  readonly #sockets = new Map<WebSocket, { accepted: number }>();
  #waiting: Waiting[] = [];
  #pendingBytes = 0;
  #writing: Promise<void> | undefined;
  #paused = false;
  readonly counts = { accepted: 0, rejected: 0, failed: 0, pendingBytesAtMost: 0 };

  private constructor(producer: Producer, partitions: number, options: InletOptions) {
    this.#producer = producer;
    this.#partitions = partitions;
    this.#options = options;
  }

  static async open(cluster: Cluster, partitions: number, options: InletOptions): Promise<Inlet> {
    return new Inlet(await Producer.create(cluster), partitions, options);
  }

  get paused(): boolean {
    return this.#paused;
  }

  connect(socket: WebSocket): void {
    this.#sockets.set(socket, { accepted: 0 });
    if (this.#paused) socket.pause();
    socket.on("message", (data) => this.#take(socket, String(data)));
    socket.on("close", () => this.#sockets.delete(socket));
  }

  #take(socket: WebSocket, text: string): void {
    const { readings, rejected } = readMessage(text, this.#options);
    if (rejected.length > 0) {
      this.counts.rejected += rejected.length;
      socket.send(JSON.stringify({ rejected }));
    }
    if (readings.length === 0) return;
    this.#waiting.push({ socket, readings });
    for (const { value } of readings) this.#pendingBytes += value.length;
    this.counts.pendingBytesAtMost = Math.max(this.counts.pendingBytesAtMost, this.#pendingBytes);
    if (!this.#paused && this.#pendingBytes >= this.#options.maxPendingBytes) this.#hold(true);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  #hold(paused: boolean): void {
    this.#paused = paused;
    for (const socket of this.#sockets.keys()) {
      if (paused) socket.pause();
      else socket.resume();
    }
  }

  /** What comes while one batch is under way is the next batch: small when there is little to do, large when there is much. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const columns = recordsOf(batch.flatMap(({ readings }) => readings));
      try {
        for (const [partition, part] of partitionByKey(columns, this.#partitions).entries())
          if (part.count > 0) await this.#producer.send(this.#options.topic, partition, part);
        await this.#producer.flush();
        this.counts.accepted += columns.count;
        this.#acknowledge(batch);
      } catch (error) {
        this.counts.failed += columns.count;
        await this.#fail(batch, error);
      }
      this.#pendingBytes -= columns.values.bytes.length - columns.count;
      if (this.#paused && this.#pendingBytes < this.#options.maxPendingBytes / 2) this.#hold(false);
    }
  }

  #acknowledge(batch: readonly Waiting[]): void {
    const told = new Set<WebSocket>();
    for (const { socket, readings } of batch) {
      const client = this.#sockets.get(socket);
      if (client === undefined) continue; // gone, its readings are written all the same
      client.accepted += readings.length;
      told.add(socket);
    }
    for (const socket of told) socket.send(JSON.stringify({ accepted: this.#sockets.get(socket)!.accepted }));
  }

  /** Phones whose readings may not have been written are told so, by a close that says when to come back. */
  async #fail(batch: readonly Waiting[], error: unknown): Promise<void> {
    log.warn("readings not written", { error: String((error as Error).message ?? error) });
    for (const { socket } of batch)
      socket.close(TRY_AGAIN_LATER, "not written to Kafka; send again what is not accepted");
    await this.#producer.reinitialise().catch(() => {}); // found out again by the next batch
  }

  /** Waits for what was taken over. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#producer.close();
  }
}

/** Readings as columns; each value is followed by a newline, as `byteColumn` has it. */
function recordsOf(readings: readonly Reading[]): RecordColumns {
  return {
    count: readings.length,
    keys: byteColumn(
      readings.map(({ key }) => key),
      false,
    ),
    values: byteColumn(
      readings.map(({ value }) => value),
      true,
    ),
    timestamps: Float64Array.from(readings, ({ time }) => time),
  };
}
