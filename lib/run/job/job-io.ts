import type pl from "nodejs-polars";
import { type Cluster, Producer, partitionByKey, type RecordColumns, type RecordHeader } from "../../log/index.ts";
import type { SinkNode } from "../../plan/nodes/sink-node.ts";
import { sinkRecords } from "../sink/sink-records.ts";
import type { BadRecord } from "../source/index.ts";
import { carriedHeaders } from "./carried-headers.ts";
import type { JobTopics } from "./job-topics.ts";
import { byteColumn } from "./samples.ts";
import type { Guarantee } from "./settings.ts";

/**
 * The producers of one worker. What must be true together (changelogs, offsets, dead letters) goes through the transactional one, whose id is
 * the worker's; outputs go through it as well (exactly-once) or through one of their own (at-least-once, but for what the clock gives).
 */
export class JobIo {
  readonly transactional: Producer;
  readonly #outputs: Producer;
  readonly #topics: JobTopics;
  #open = false;
  /** The end of the transaction before. */
  #ending: Promise<void> = Promise.resolve();
  /** Topics that the open transaction, or the one that is ending, has rows of. */
  readonly #withheld = new Set<string>();

  private constructor(transactional: Producer, outputs: Producer, topics: JobTopics) {
    this.transactional = transactional;
    this.#outputs = outputs;
    this.#topics = topics;
  }

  /** Ends what an earlier process of this worker left open, then takes its place. */
  static async create(
    cluster: Cluster,
    topics: JobTopics,
    guarantee: Guarantee,
    transactionalId: string,
    commitInterval: number,
  ): Promise<JobIo> {
    // A transaction is open from one checkpoint to the next; Kafka's default for the longest is 15 minutes. What a killed worker without a
    // successor leaves open holds readers of the outputs back for this long; one that was too short is lengthened after it was lost.
    const transactionTimeout = Math.min(15 * 60_000, Math.max(10_000, 1.5 * commitInterval + 5000));
    const transactional = await Producer.create(cluster, { transactionalId, transactionTimeout });
    const outputs = guarantee === "exactly-once" ? transactional : await Producer.create(cluster);
    return new JobIo(transactional, outputs, topics);
  }

  /** What comes next of a transaction begins after this: the commit of the one before is under way. Never rejects. */
  holdUntil(ending: Promise<void>): void {
    this.#ending = ending;
  }

  /** Begins a transaction where none is open. */
  async begin(): Promise<void> {
    await this.#ending;
    if (this.#open) return;
    this.transactional.begin();
    this.#open = true;
  }

  /**
   * Takes a sink's rows over for writing; resolves before they are acknowledged.
   * @param source the records that the rows come from, for their headers; undefined where rows bring them
   * @param byClock no record says that they are due: they become true with the state that says so, under both guarantees
   */
  async write(sink: SinkNode, rows: pl.DataFrame, source: RecordColumns | undefined, byClock = false): Promise<void> {
    const producer = byClock || (await this.#isWithheld(sink.topic)) ? this.transactional : this.#outputs;
    if (producer === this.transactional) await this.begin();
    if (producer !== this.#outputs) {
      await this.#outputs.flush(); // rows of a key keep their order
      this.#withheld.add(sink.topic);
    }
    const records = sinkRecords(sink, rows);
    const headers = records.headers ?? (source && carriedHeaders(rows, source));
    const partitions = partitionByKey(
      { ...records, ...(headers && { headers }) },
      this.#topics.outputs.get(sink.topic) as number,
    );
    await Promise.all(partitions.map((columns, partition) => producer.send(sink.topic, partition, columns)));
    if (producer !== this.#outputs) await producer.flush();
  }

  /**
   * Whether rows of a topic have to wait for the end of the transaction, as those before them do: should it be aborted, they would stand before what
   * is then written again.
   */
  async #isWithheld(topic: string): Promise<boolean> {
    if (!this.#withheld.has(topic)) return false;
    await this.#ending;
    return this.#withheld.has(topic);
  }

  async deadLetters(bad: readonly BadRecord[]): Promise<void> {
    await this.begin();
    for (const [partition, records] of Map.groupBy(bad, (record) => record.partition))
      await this.transactional.send(this.#topics.deadLetter, partition, deadLetterColumns(records));
  }

  /** Waits until everything written so far is acknowledged. */
  async flush(): Promise<void> {
    await Promise.all([this.#outputs.flush(), this.transactional.flush()]);
  }

  async commit(): Promise<void> {
    await this.transactional.commit();
    this.#open = false;
    this.#withheld.clear();
  }

  /**
   * A new epoch, no open transaction, empty queues.
   * @param anew although another has taken the transactional id
   * @throws {ProducerFenced} when another has
   */
  async reinitialise(anew = false): Promise<void> {
    await this.transactional.reinitialise(anew);
    if (this.#outputs !== this.transactional) await this.#outputs.reinitialise();
    this.#open = false;
    this.#withheld.clear();
  }

  async close(): Promise<void> {
    await this.transactional.close();
    if (this.#outputs !== this.transactional) await this.#outputs.close();
  }
}

/** Key and value as they came; where they came from and what is wrong in the headers. */
function deadLetterColumns(records: readonly BadRecord[]): RecordColumns {
  const header = (key: string, value: string | number): RecordHeader => ({
    key: Buffer.from(key),
    value: Buffer.from(String(value)),
  });
  return {
    count: records.length,
    keys: byteColumn(
      records.map(({ key }) => key),
      false,
    ),
    values: byteColumn(
      records.map(({ value }) => value),
      false,
    ),
    timestamps: Float64Array.from(records, ({ timestamp }) => timestamp),
    headers: records.map(({ topic, partition, offset, reason }) => [
      header("topic", topic),
      header("partition", partition),
      header("offset", offset),
      header("reason", reason),
    ]),
  };
}
