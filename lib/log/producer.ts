import { MillraceError, Refusal } from "../error.ts";
import { isPassing } from "./broker-connection.ts";
import { type Cluster, isRetriableCode } from "./cluster.ts";
import type { RecordColumns, TopicPartition } from "./columns.ts";
import type { Compression } from "./compression.ts";
import { deliveryFailure, noPartition } from "./delivery-failure.ts";
import { encodeRecordBatch } from "./encode.ts";
import { BrokerRefused, kafkaErrorName, ProducerFenced } from "./errors.ts";
import type { GroupGeneration } from "./group-generation.ts";
import {
  type Batch,
  earlierUnwritten,
  emptyOutbox,
  firstUnacknowledged,
  hasNext,
  MAX_IN_FLIGHT,
  type Outbox,
  putBack,
} from "./outbox.ts";
import { type ProducedBatch, produceRequest } from "./produce-request.ts";
import { type ProducerIdentity, TransactionCoordinator, TransactionLost } from "./transaction-coordinator.ts";

export interface ProducerOptions {
  /** Makes the producer transactional: `begin` … `commit` or `abort`. One holder at a time; a new one fences the old. */
  transactionalId?: string;
  /** The coordinator aborts a transaction that is open for longer, ms; 60 s by default. */
  transactionTimeout?: number;
  /** `all` (the default) is idempotent; `leader` acknowledges once the leader has it, and a retry may repeat records. */
  acks?: "all" | "leader";
  /** `none` by default. */
  compression?: Compression;
  /** Most bytes of a record batch before compression; 900,000 by default, under Kafka's default limit of 1 MB. */
  maxBatchBytes?: number;
  /** Bytes not yet acknowledged at which `send` waits; 32 MiB by default. */
  maxBufferedBytes?: number;
  /** How long records are tried before the producer gives up, ms; 120 s by default. */
  deliveryTimeout?: number;
}

const MAX_REQUEST_BYTES = 8 * 2 ** 20;
const RETRY_PAUSE = 100;
const DELIVERY_TIMEOUT = 120_000;
const MAX_SEQUENCE = 2 ** 31;
let instances = 0;

/**
 * Writes columns to partitions: idempotent, several batches under way, in order per partition.
 *
 * `send` resolves when the records are taken over; `flush` and `commit` resolve when every one of them is acknowledged and throw what went
 * wrong. After an error nothing is sent until `abort` (transactional) or {@link Producer.reinitialise}.
 */
export class Producer {
  readonly #cluster: Cluster;
  readonly #options: ProducerOptions;
  readonly #coordinator: TransactionCoordinator;
  readonly #suffix = `producer-${++instances}`;
  readonly #outboxes = new Map<string, Outbox>();
  readonly #requests = new Map<number, number>();
  #identity: ProducerIdentity = { id: -1, epoch: -1 };
  #buffered = 0;
  #failure: MillraceError | undefined;
  #transaction: "none" | "open" = "none";
  #offsetsAdded = false;
  #adding = false;
  #refreshing = false;
  #closed = false;
  #changed = Promise.withResolvers<void>();

  private constructor(cluster: Cluster, options: ProducerOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#coordinator = new TransactionCoordinator(
      cluster,
      options.transactionalId,
      options.transactionTimeout ?? 60_000,
    );
  }

  /** Initialises the producer; a transactional one ends what an earlier holder of its id left open. */
  static async create(cluster: Cluster, options: ProducerOptions = {}): Promise<Producer> {
    if (options.transactionalId !== undefined && options.acks === "leader")
      throw new Refusal({
        code: "BAD_PRODUCER_OPTIONS",
        what: "A transactional producer needs acks: all.",
        remedies: ["leave acks out"],
      });
    const producer = new Producer(cluster, options);
    if (producer.#idempotent) producer.#identity = await producer.#coordinator.initialise();
    return producer;
  }

  get transactional(): boolean {
    return this.#options.transactionalId !== undefined;
  }

  /** Begins a transaction; what is sent from now on is seen by `read_committed` readers after {@link commit} only. */
  begin(): void {
    this.#transactionalOnly("begin");
    this.#throwFailure();
    if (this.#transaction === "open") throw misuse("begin() while a transaction is open.");
    this.#transaction = "open";
  }

  /**
   * Takes records over for writing, in order per partition; waits while too much is unacknowledged. The columns may be reused after it.
   * @throws the error that stopped the producer
   */
  async send(topic: string, partition: number, columns: RecordColumns): Promise<void> {
    if (columns.count === 0) return;
    this.#throwFailure();
    if (this.transactional && this.#transaction === "none")
      throw misuse("send() outside a transaction: call begin() first.");
    const outbox = this.#outbox(topic, partition);
    const turn = outbox.turn.then(() => this.#enqueue(outbox, columns));
    outbox.turn = turn.catch(() => {});
    await turn;
  }

  /** Waits until everything sent so far is acknowledged; what is sent meanwhile is not waited for. @throws the error that stopped the producer */
  async flush(): Promise<void> {
    const outboxes = [...this.#outboxes.values()];
    await Promise.all(outboxes.map(({ turn }) => turn));
    const sent = outboxes.map((outbox) => [outbox, outbox.batches] as const);
    while (this.#failure === undefined && sent.some(([outbox, batches]) => firstUnacknowledged(outbox) < batches))
      await this.#changed.promise;
    await this.#throwSettled();
  }

  /**
   * Flushes, then commits consumed offsets with the transaction. With the generation of the member that read them, a member that has lost its
   * partitions cannot commit (KIP-447).
   * @param metadata a text kept with each offset, at most 4096 bytes; see {@link committedPositions}
   */
  async sendOffsets(
    groupId: string,
    generation: GroupGeneration | undefined,
    offsets: Iterable<readonly [TopicPartition, number]>,
    metadata = "",
  ): Promise<void> {
    this.#transactionalOnly("sendOffsets");
    if (this.#transaction === "none") throw misuse("sendOffsets() outside a transaction: call begin() first.");
    await this.flush(); // the coordinator may be asked about first batches while it adds the group
    this.#offsetsAdded = true;
    await this.#orFail(this.#coordinator.commitOffsets(this.#identity, groupId, generation, [...offsets], metadata));
  }

  /** Flushes, then commits. @throws {ProducerFenced} {@link TransactionLost}, or what stopped the producer; then `abort` */
  async commit(): Promise<void> {
    this.#transactionalOnly("commit");
    if (this.#transaction === "none") throw misuse("commit() without a transaction.");
    await this.flush();
    if (this.#touched()) await this.#orFail(this.#coordinator.end(this.#identity, true));
    this.#ended();
  }

  /** Ends the transaction as if nothing had been sent in it; also the way on after an error. @throws {ProducerFenced} */
  async abort(): Promise<void> {
    this.#transactionalOnly("abort");
    if (this.#failure instanceof ProducerFenced) throw this.#failure;
    await this.#drain();
    const uncertain = [...this.#outboxes.values()].some(
      ({ failed, waiting }) => failed.length > 0 || waiting[0]?.tried === true,
    );
    if (this.#failure !== undefined || uncertain) return await this.reinitialise();
    for (const outbox of this.#outboxes.values()) {
      const first = outbox.waiting[0];
      if (first !== undefined) outbox.sequence = first.sequence; // never sent: their numbers are free
      this.#drop(outbox);
    }
    if (this.#touched()) await this.#orFail(this.#coordinator.end(this.#identity, false));
    this.#ended();
  }

  /**
   * A new epoch (transactional: an open transaction is aborted) or a new producer id, and empty queues: the way on after an error that leaves
   * open what was written (KIP-360). Records not acknowledged are dropped.
   * @param anew take the transactional id from whoever holds it, as a new producer does
   * @throws {ProducerFenced} when another producer holds the transactional id
   */
  async reinitialise(anew = false): Promise<void> {
    await this.#drain();
    for (const outbox of this.#outboxes.values()) this.#drop(outbox);
    this.#outboxes.clear();
    this.#buffered = 0;
    if (this.#failure instanceof TransactionLost) this.#coordinator.lengthen();
    if (this.#idempotent) {
      this.#identity = await this.#coordinator.initialise(anew ? undefined : this.#identity);
    }
    this.#failure = undefined;
    this.#ended();
  }

  /** Ends without waiting for what is not acknowledged; an open transaction is left to be aborted by its timeout or its next holder. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#fail(new MillraceError({ code: "CLOSED", what: "The producer was closed." }));
    await this.#cluster.release("produce", this.#suffix);
  }

  get #idempotent(): boolean {
    return this.#options.acks !== "leader";
  }

  async #enqueue(outbox: Outbox, columns: RecordColumns): Promise<void> {
    for (let from = 0; from < columns.count; ) {
      while (this.#buffered > (this.#options.maxBufferedBytes ?? 32 * 2 ** 20) && this.#failure === undefined)
        await this.#changed.promise;
      await this.#throwSettled();
      const { sequence } = outbox;
      const batch = encodeRecordBatch(columns, {
        from,
        maxBytes: this.#options.maxBatchBytes ?? 900_000,
        compression: this.#options.compression ?? "none",
        transactional: this.transactional,
        ...(this.#idempotent && { producer: { ...this.#identity, sequence } }),
      });
      from = batch.next;
      outbox.sequence = (sequence + batch.count) % MAX_SEQUENCE;
      const order = outbox.batches++;
      outbox.waiting.push({
        bytes: batch.bytes,
        count: batch.count,
        sequence,
        order,
        since: performance.now(),
        tried: false,
      });
      this.#buffered += batch.bytes.length;
      this.#pump();
    }
  }

  /** Sends what can be sent: one batch per partition and request, up to {@link MAX_IN_FLIGHT} requests per leader. */
  #pump(): void {
    if (this.#failure !== undefined || this.#closed) return;
    if (this.transactional && this.#addPartitions()) return;
    const now = performance.now();
    const byLeader = new Map<number, Outbox[]>();
    let unknown = false;
    for (const outbox of this.#outboxes.values()) {
      if (!this.#sendable(outbox, now)) continue;
      const leader = this.#cluster.known(outbox.topic)?.partitions[outbox.partition]?.leader ?? -1;
      if (leader < 0) unknown = true;
      else if (byLeader.has(leader)) byLeader.get(leader)!.push(outbox);
      else byLeader.set(leader, [outbox]);
    }
    if (unknown) void this.#refresh();
    for (const [leader, outboxes] of byLeader) {
      while ((this.#requests.get(leader) ?? 0) < MAX_IN_FLIGHT) {
        const chosen: [Outbox, Batch][] = [];
        let bytes = 0;
        for (const outbox of outboxes) {
          const batch = this.#sendable(outbox, now) ? outbox.waiting[0]! : undefined;
          if (batch === undefined || (bytes > 0 && bytes + batch.bytes.length > MAX_REQUEST_BYTES)) continue;
          bytes += batch.bytes.length;
          chosen.push([outbox, batch]);
        }
        if (chosen.length === 0) break;
        for (const [outbox, batch] of chosen) {
          outbox.waiting.shift();
          outbox.inFlight.push(batch);
          batch.tried = true;
        }
        void this.#produce(leader, chosen);
      }
    }
  }

  #sendable(outbox: Outbox, now: number): boolean {
    return (
      (!this.transactional || outbox.inTransaction !== "no") &&
      hasNext(outbox, now, this.#idempotent ? MAX_IN_FLIGHT : 1)
    );
  }

  async #produce(leader: number, chosen: readonly [Outbox, Batch][]): Promise<void> {
    this.#requests.set(leader, (this.#requests.get(leader) ?? 0) + 1);
    let answers: ProducedBatch[] | undefined;
    let trouble: unknown;
    try {
      const broker = this.#cluster.broker(leader, "produce", this.#suffix);
      const batches = chosen.map(([{ topic, partition }, { bytes }]) => ({ topic, partition, bytes }));
      const { transactionalId } = this.#options;
      answers = await broker.send(
        produceRequest(batches, { transactionalId, acks: this.#idempotent ? -1 : 1, timeout: 20_000 }),
      );
    } catch (error) {
      trouble = error;
    }
    this.#requests.set(leader, this.#requests.get(leader)! - 1);
    for (const [outbox, batch] of chosen) {
      const answer = answers?.find(({ topic, partition }) => topic === outbox.topic && partition === outbox.partition);
      this.#answered(outbox, batch, answer, trouble);
    }
    this.#notify();
    this.#pump();
  }

  #answered(outbox: Outbox, batch: Batch, answer: ProducedBatch | undefined, trouble: unknown): void {
    outbox.inFlight = outbox.inFlight.filter((other) => other !== batch);
    const error = answer === undefined ? undefined : kafkaErrorName(answer.errorCode);
    if (answer?.errorCode === 0 || (error === "DUPLICATE_SEQUENCE_NUMBER" && this.#idempotent)) {
      this.#buffered -= batch.bytes.length;
      outbox.known = true;
      if (outbox.inTransaction === "added") outbox.inTransaction = "confirmed";
    } else if (this.#failure === undefined) {
      const passing =
        answer === undefined
          ? isPassing(trouble)
          : isRetriableCode(answer.errorCode) ||
            (error === "OUT_OF_ORDER_SEQUENCE_NUMBER" && earlierUnwritten(outbox, batch));
      if (passing && performance.now() - batch.since < (this.#options.deliveryTimeout ?? DELIVERY_TIMEOUT))
        outbox.failed.push(batch);
      else {
        outbox.failed.push(batch);
        const timeout = this.#options.deliveryTimeout ?? DELIVERY_TIMEOUT;
        this.#fail(deliveryFailure(outbox, error, answer?.errorMessage ?? null, trouble, timeout));
      }
    } else outbox.failed.push(batch);

    // all that was under way is answered: once more, in sequence
    if (outbox.failed.length > 0 && outbox.inFlight.length === 0 && this.#failure === undefined) {
      putBack(outbox);
      outbox.retryAt = performance.now() + RETRY_PAUSE;
      setTimeout(() => void this.#refresh(), RETRY_PAUSE);
    }
  }

  /**
   * Announces new partitions to the coordinator; true while nothing else can be sent. With the first batch of a partition its leader asks the
   * coordinator about the transaction; one that is at a change of it just then has the batch turned down, and a retry takes long.
   */
  #addPartitions(): boolean {
    if (this.#adding) return true;
    const outboxes = [...this.#outboxes.values()];
    const added = outboxes.filter(({ inTransaction, waiting }) => inTransaction === "no" && waiting.length > 0);
    if (added.length === 0) return false;
    if (outboxes.some(({ inTransaction, inFlight }) => inTransaction === "added" && inFlight.length > 0)) return true;
    this.#adding = true;
    this.#coordinator
      .addPartitions(this.#identity, added)
      .then(
        () => {
          for (const outbox of added) outbox.inTransaction = "added";
        },
        (error) => this.#fail(error as MillraceError),
      )
      .finally(() => {
        this.#adding = false;
        this.#notify();
        this.#pump();
      });
    return true;
  }

  async #refresh(): Promise<void> {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    try {
      const topics = [...this.#outboxes.values()].filter(({ waiting }) => waiting.length > 0).map(({ topic }) => topic);
      for (const topic of new Set(topics)) {
        const { partitions } = (await this.#cluster.metadata([topic])).get(topic)!;
        for (const outbox of this.#outboxes.values())
          if (outbox.topic === topic && outbox.partition >= partitions.length)
            throw noPartition(outbox, partitions.length);
      }
    } catch (error) {
      if (!isPassing(error) || this.#expired()) this.#fail(error as MillraceError);
      else setTimeout(() => void this.#refresh(), RETRY_PAUSE * 5);
    } finally {
      this.#refreshing = false;
    }
    if (
      [...this.#outboxes.values()].some(
        ({ topic, partition }) => !((this.#cluster.known(topic)?.partitions[partition]?.leader ?? -1) >= 0),
      )
    )
      setTimeout(() => this.#pump(), RETRY_PAUSE);
    this.#pump();
  }

  #expired(): boolean {
    const oldest = Math.min(
      ...[...this.#outboxes.values()].map(({ waiting }) => waiting[0]?.since ?? Number.POSITIVE_INFINITY),
    );
    return performance.now() - oldest > (this.#options.deliveryTimeout ?? DELIVERY_TIMEOUT);
  }

  #outbox(topic: string, partition: number): Outbox {
    const name = `${topic}/${partition}`;
    let outbox = this.#outboxes.get(name);
    if (outbox === undefined) {
      outbox = emptyOutbox(topic, partition);
      this.#outboxes.set(name, outbox);
    }
    return outbox;
  }

  /** Waits until no request is under way; nothing new is sent meanwhile. */
  async #drain(): Promise<void> {
    const held = this.#failure;
    const paused = held ?? new MillraceError({ code: "ABORTED", what: "The transaction was aborted." });
    this.#failure = paused;
    this.#notify();
    await Promise.all([...this.#outboxes.values()].map(({ turn }) => turn));
    while (this.#adding || [...this.#requests.values()].some((count) => count > 0)) await this.#changed.promise;
    if (this.#failure === paused) this.#failure = held;
  }

  #drop(outbox: Outbox): void {
    for (const { bytes } of [...outbox.waiting, ...outbox.failed]) this.#buffered -= bytes.length;
    outbox.waiting = [];
    outbox.failed = [];
  }

  #touched(): boolean {
    return this.#offsetsAdded || [...this.#outboxes.values()].some(({ inTransaction }) => inTransaction !== "no");
  }

  #ended(): void {
    this.#transaction = "none";
    this.#offsetsAdded = false;
    for (const outbox of this.#outboxes.values()) outbox.inTransaction = "no";
  }

  #notify(): void {
    const { resolve } = this.#changed;
    this.#changed = Promise.withResolvers();
    resolve();
  }

  #fail(error: MillraceError): void {
    this.#failure ??= error;
    this.#notify();
  }

  async #orFail(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#fail(error as MillraceError);
      await this.#throwSettled();
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Throws what stopped the producer. An outdated epoch may mean a timeout or a successor: asking for a new one tells. */
  async #throwSettled(): Promise<void> {
    if (
      this.#failure instanceof TransactionLost &&
      this.transactional &&
      !this.#closed &&
      this.#epochDoubtful(this.#failure)
    ) {
      try {
        this.#identity = await this.#coordinator.initialise(this.#identity);
      } catch (error) {
        if (error instanceof ProducerFenced) this.#failure = error;
      }
    }
    this.#throwFailure();
  }

  #epochDoubtful(lost: TransactionLost): boolean {
    const error = lost.cause instanceof BrokerRefused ? lost.cause.kafkaError : "";
    return error === "INVALID_PRODUCER_EPOCH" || error === "PRODUCER_FENCED";
  }

  #transactionalOnly(method: string): void {
    if (!this.transactional) throw misuse(`${method}() needs a producer with a transactionalId.`);
  }
}

const misuse = (what: string) => new Refusal({ code: "BAD_PRODUCER_CALL", what });
