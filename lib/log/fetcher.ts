import { MillraceError } from "../error.ts";
import { type Answered, bytesOf, isEnough, takeJoined } from "./answers.ts";
import { type BrokerConnection, isPassing } from "./broker-connection.ts";
import type { Cluster } from "./cluster.ts";
import { isRetriableCode } from "./cluster.ts";
import type { RecordColumns, TopicPartition } from "./columns.ts";
import { type DecodedRecords, type DecodeOptions, decodeRecordBatches } from "./decode.ts";
import { DecodeThread } from "./decode-thread.ts";
import { BrokerRefused, CorruptRecords, kafkaErrorName } from "./errors.ts";
import { type FetchAnswer, type FetchLimits, fetchRequest, type PartitionAnswer } from "./fetch-request.ts";
import { outOfRange } from "./out-of-range.ts";
import { HEADER_BYTES } from "./record-batch.ts";
import { EMPTY, holdsLargeRecords, nextOffset, readable } from "./record-hops.ts";
import { recreated } from "./recreated.ts";

export interface FetcherOptions {
  /** `read_committed` by default. */
  isolation?: "read_committed" | "read_uncommitted";
  /** Most bytes of one answer, and of what waits for {@link Fetcher.poll}; 16 MiB by default. */
  maxBytes?: number;
  /** Most bytes of one partition in an answer; 8 MiB by default. */
  partitionMaxBytes?: number;
  /** How long a broker waits for the first record, and `poll` for the first answer, ms; 500 by default. */
  maxWait?: number;
  /** Decode headers; false by default. */
  headers?: boolean;
  /** A newline inside a value becomes a space (the default) or stays. */
  newlines?: "space" | "keep";
  /** Whether values of a topic are to be, as of `decodeRecordBatches`; none are by default. */
  aligned?: (topic: string) => boolean;
  /** How long brokers may be unreachable before `poll` throws, ms; 60 s by default. */
  patience?: number;
  /** Bytes of records after which others are decoded in a thread of their own; 8 MiB by default. */
  threadAfter?: number;
  /** Bytes of an answer's records from which they go there; 256 KiB by default. */
  threadFrom?: number;
}

/** What one partition brought. */
export interface FetchedPartition extends TopicPartition {
  /** May be empty: markers and aborted records move `nextOffset` only. */
  readonly columns: RecordColumns & { readonly offsets: Float64Array };
  /** Where reading goes on; behind the last batch, which may be behind the last record. */
  readonly nextOffset: number;
  /** The partition's end. */
  readonly highWatermark: number;
  /** The end for readers of committed records only. */
  readonly lastStableOffset: number;
  /** Reading of this partition has stopped; assign it again to go on. */
  readonly error?: MillraceError;
}

interface Assigned extends TopicPartition {
  /** The topic's id when it was assigned, if known: offsets mean nothing in another topic of the same name. */
  readonly topicId: string | undefined;
  /** Of the next fetch. */
  offset: number;
  paused: boolean;
  fetching: boolean;
  /** Nothing more is fetched: an error was delivered. */
  stopped: boolean;
  retryAt: number;
  /** Records that are written but not to be read before a transaction ends, as of the last answer. */
  heldBack: number;
  /** Where what may be read ends, as of the last answer; undefined before the first. */
  end: number | undefined;
  /** When the request of the last answer was sent, by `performance.now()`. */
  askedAt: number;
  readonly ready: Answered[];
}

const RETRY_PAUSE = 100;
/** A reader of less is not worth the start of a thread, nor is an answer of less worth the way there. */
const THREAD_AFTER = 8 * 2 ** 20;
const THREAD_FROM = 2 ** 18;
/** ms; twice what an answer takes over the loopback. */
const HEARING = 20;
let instances = 0;

/**
 * Reads assigned partitions; joins no group and commits nothing. One request per leader is under way, and the next one is
 * sent as soon as an answer is in, before it is decoded: the broker works while the caller does, and so does the thread that decodes where there is much.
 */
export class Fetcher {
  readonly #cluster: Cluster;
  readonly #limits: FetchLimits;
  readonly #options: FetcherOptions;
  readonly #suffix = `fetcher-${++instances}`;
  /** In the order in which they are asked for; what brought records goes to the end. */
  readonly #assigned = new Map<string, Assigned>();
  readonly #busyLeaders = new Set<number>();
  /** Connections whose broker owes an answer. */
  readonly #asked = new Set<BrokerConnection>();
  /** What the last {@link poll} gave, and its caller may be at work on. */
  readonly #given = new Set<Assigned>();
  #waitingBytes = 0;
  /** Of records that came. */
  #bytes = 0;
  #refreshing = false;
  #failingSince: number | undefined;
  #failure: unknown;
  #closed = false;
  #wake: () => void = () => {};

  constructor(cluster: Cluster, options: FetcherOptions = {}) {
    this.#cluster = cluster;
    this.#options = options;
    this.#limits = {
      isolation: options.isolation ?? "read_committed",
      maxBytes: options.maxBytes ?? 16 * 2 ** 20,
      partitionMaxBytes: options.partitionMaxBytes ?? 8 * 2 ** 20,
      maxWait: options.maxWait ?? 500,
    };
  }

  /** Reads this partition from `offset` on; also moves one that is assigned already. */
  assign(topic: string, partition: number, offset: number): void {
    this.unassign(topic, partition);
    this.#assigned.set(name(topic, partition), {
      topic,
      topicId: this.#cluster.known(topic)?.id,
      partition,
      offset,
      paused: false,
      fetching: false,
      stopped: false,
      retryAt: 0,
      heldBack: 0,
      end: undefined,
      askedAt: Number.NEGATIVE_INFINITY,
      ready: [],
    });
    this.#send();
  }

  /** Stops reading; what has been fetched and not polled is dropped. */
  unassign(topic: string, partition: number): void {
    const assigned = this.#assigned.get(name(topic, partition));
    if (assigned === undefined) return;
    this.#assigned.delete(name(topic, partition));
    for (const { answer } of assigned.ready) this.#waitingBytes -= answer.records.length;
  }

  /** Holds a partition back: nothing of it is polled, until {@link resume}. */
  pause(topic: string, partition: number): void {
    const assigned = this.#assigned.get(name(topic, partition));
    if (assigned !== undefined) assigned.paused = true;
  }

  resume(topic: string, partition: number): void {
    const assigned = this.#assigned.get(name(topic, partition));
    if (assigned === undefined || !assigned.paused) return;
    assigned.paused = false;
    if (assigned.ready.length > 0) this.#wake();
    this.#send();
  }

  /**
   * The partitions being read, with the offset that {@link poll} has reached, where what may be read ends, and how many offsets an open transaction
   * holds back from readers of committed records.
   */
  assignment(): (TopicPartition & { offset: number; end: number | undefined; paused: boolean; heldBack: number })[] {
    return [...this.#assigned.values()].map(({ topic, partition, offset, end, paused, ready, heldBack }) => ({
      heldBack,
      end,
      topic,
      partition,
      offset: ready[0]?.offset ?? offset,
      paused,
    }));
  }

  /**
   * Whether there was nothing left to read of a partition at some time after `since` (by `performance.now()`), as an answer of its broker says. False
   * also for what the last {@link poll} gave, which may not be worked on yet.
   */
  isReadUp(topic: string, partition: number, since: number): boolean {
    const assigned = this.#assigned.get(name(topic, partition));
    if (assigned === undefined) return true;
    const { end, offset, ready, askedAt } = assigned;
    return end !== undefined && offset >= end && ready.length === 0 && askedAt >= since && !this.#given.has(assigned);
  }

  /**
   * What has come in since, or within `timeout` ms (`maxWait` by default); empty when nothing did.
   * @throws {UnreachableBroker} when brokers have been away for longer than `patience`
   */
  async poll(timeout = this.#limits.maxWait): Promise<FetchedPartition[]> {
    const end = performance.now() + timeout;
    this.#given.clear();
    for (;;) {
      if (
        this.#failingSince !== undefined &&
        performance.now() - this.#failingSince > (this.#options.patience ?? 60_000)
      ) {
        this.#failingSince = undefined;
        throw this.#failure;
      }
      const fetched = this.#take();
      if (fetched.length > 0 || this.#closed) return fetched;
      this.#send();
      const left = end - performance.now();
      if (left <= 0) return [];
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = () => {};
    }
  }

  /**
   * Gives way to what has come meanwhile: a turn of the event loop, and further ones while an answer goes on coming in, for `most` ms. A caller who computes for long
   * without it finds nothing prefetched: an answer is larger than what waits in a socket.
   */
  async hear(most = HEARING): Promise<void> {
    const end = performance.now() + most;
    const asked = [...this.#asked];
    const received = () => asked.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    let before: number;
    do {
      before = received();
      await new Promise(setImmediate);
    } while (received() > before && performance.now() < end);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#assigned.clear();
    this.#wake();
    await this.#cluster.release("fetch", this.#suffix);
  }

  /** Takes and decodes what each partition has, as far as it is given at a time. */
  #take(): FetchedPartition[] {
    const taken: (Answered & { assigned: Assigned })[] = [];
    for (const assigned of this.#assigned.values()) {
      const [next] = assigned.ready;
      if (next === undefined || assigned.paused || next.decoding) continue;
      const before = bytesOf(assigned.ready);
      const joined = takeJoined(assigned.ready);
      this.#waitingBytes -= before - bytesOf(assigned.ready);
      this.#given.add(assigned);
      taken.push({ assigned, ...joined });
    }
    if (taken.length > 0) this.#send(); // before decoding, so that the broker is at work meanwhile
    return taken.map(({ assigned, offset, answer, error, decoded: beside }) => {
      const decoded = error ?? beside ?? this.#decode(assigned, offset, answer);
      const failed = decoded instanceof MillraceError;
      if (failed) this.#stop(assigned);
      const { nextOffset, ...columns } = failed ? { ...EMPTY, nextOffset: offset } : decoded;
      return {
        topic: assigned.topic,
        partition: assigned.partition,
        columns,
        nextOffset,
        highWatermark: answer.highWatermark,
        lastStableOffset: answer.lastStableOffset,
        ...(failed && { error: decoded }),
      };
    });
  }

  #decode(assigned: Assigned, offset: number, answer: PartitionAnswer): DecodedRecords | MillraceError {
    try {
      return decodeRecordBatches(answer.records, this.#decodeOptions(assigned, offset, answer));
    } catch (error) {
      if (error instanceof MillraceError) return error;
      throw error;
    }
  }

  /** Decodes while the caller computes with what it has; where there is no thread, {@link poll} does it. */
  async #decodeBeside(assigned: Assigned, next: Answered, thread: DecodeThread): Promise<void> {
    next.decoding = true;
    try {
      const options = this.#decodeOptions(assigned, next.offset, next.answer);
      next.decoded = await thread.decode(next.answer.records, options);
    } catch (error) {
      if (error instanceof MillraceError) next.decoded = error;
    }
    next.decoding = false;
    this.#wake();
  }

  #decodeOptions({ topic, partition }: Assigned, offset: number, answer: PartitionAnswer): DecodeOptions {
    return {
      topic,
      partition,
      fromOffset: offset,
      headers: this.#options.headers ?? false,
      newlines: this.#options.newlines ?? "space",
      aligned: this.#options.aligned?.(topic) ?? false,
      ...(this.#limits.isolation === "read_committed" && { abortedTransactions: answer.abortedTransactions }),
    };
  }

  #stop(assigned: Assigned): void {
    assigned.stopped = true;
    for (const { answer } of assigned.ready.splice(0)) this.#waitingBytes -= answer.records.length;
  }

  /** Sends a request to every leader that has none under way and partitions to ask for. */
  #send(): void {
    if (this.#closed || this.#waitingBytes >= this.#limits.maxBytes) return;
    const now = performance.now();
    const byLeader = new Map<number, Assigned[]>();
    let unknown = false;
    for (const assigned of this.#assigned.values()) {
      if (
        assigned.stopped ||
        assigned.paused ||
        assigned.fetching ||
        isEnough(assigned.ready) ||
        assigned.retryAt > now
      )
        continue;
      const leader = this.#cluster.known(assigned.topic)?.partitions[assigned.partition]?.leader ?? -1;
      if (leader < 0) unknown = true;
      else if (!this.#busyLeaders.has(leader)) {
        const led = byLeader.get(leader);
        if (led === undefined) byLeader.set(leader, [assigned]);
        else led.push(assigned);
      }
    }
    if (unknown) void this.#refresh();
    for (const [leader, led] of byLeader) void this.#fetch(leader, led);
  }

  async #fetch(leader: number, led: Assigned[]): Promise<void> {
    const asked = new Map(
      led.map((assigned) => [name(assigned.topic, assigned.partition), { assigned, offset: assigned.offset }]),
    );
    for (const assigned of led) assigned.fetching = true;
    this.#busyLeaders.add(leader);
    let answer: FetchAnswer | undefined;
    const askedAt = performance.now();
    let broker: BrokerConnection | undefined;
    try {
      broker = this.#cluster.broker(leader, "fetch", this.#suffix);
      this.#asked.add(broker);
      answer = await broker.send(fetchRequest(led, this.#limits));
      if (answer.errorCode !== 0) throw new BrokerRefused("fetching", kafkaErrorName(answer.errorCode));
      this.#failingSince = undefined;
    } catch (error) {
      if (!this.#closed) this.#failed(error);
    } finally {
      if (broker !== undefined) this.#asked.delete(broker);
      this.#busyLeaders.delete(leader);
      for (const assigned of led) assigned.fetching = false;
    }
    if (this.#closed || answer === undefined) return;
    for (const partition of answer.partitions) {
      const key = name(partition.topic, partition.partition);
      const found = asked.get(key);
      if (found === undefined || this.#assigned.get(key) !== found.assigned) continue;
      found.assigned.askedAt = askedAt;
      this.#arrived(found.assigned, found.offset, partition);
    }
    this.#send();
  }

  #arrived(assigned: Assigned, offset: number, answer: PartitionAnswer): void {
    const { topic, partition, errorCode } = answer;
    if (errorCode !== 0) {
      const error = kafkaErrorName(errorCode);
      if (isRetriableCode(errorCode)) this.#retryLater(assigned);
      else void this.#report(assigned, offset, answer, error);
      return;
    }
    assigned.end = this.#limits.isolation === "read_committed" ? answer.lastStableOffset : answer.highWatermark;
    assigned.heldBack = Math.max(0, answer.highWatermark - assigned.end);
    if (answer.records.length === 0) return;
    const next = nextOffset(answer.records, offset);
    if (next === offset && answer.records.length >= HEADER_BYTES && !readable(answer.records)) {
      assigned.stopped = true;
      const what = "The broker sent a part of a record batch only.";
      const error = new CorruptRecords(what, `topic ${topic}, partition ${partition}, offset ${offset}`);
      assigned.ready.push({ offset, answer, error });
    } else {
      const ready: Answered = { offset, answer };
      assigned.ready.push(ready);
      const { threadAfter = THREAD_AFTER, threadFrom = THREAD_FROM } = this.#options;
      const much =
        this.#bytes >= threadAfter && answer.records.length >= threadFrom && !holdsLargeRecords(answer.records);
      const thread = much ? DecodeThread.shared() : undefined;
      if (thread?.ready) void this.#decodeBeside(assigned, ready, thread);
    }
    this.#bytes += answer.records.length;
    this.#waitingBytes += answer.records.length;
    assigned.offset = next;
    // to the end of the line: every partition gets its turn even when answers are full
    this.#assigned.delete(name(topic, partition));
    this.#assigned.set(name(topic, partition), assigned);
    if (!assigned.paused) this.#wake();
  }

  async #report(assigned: Assigned, offset: number, answer: PartitionAnswer, kafkaError: string): Promise<void> {
    assigned.stopped = true;
    const { topic, partition } = assigned;
    let error: MillraceError = new BrokerRefused(`fetching partition ${partition} of topic "${topic}"`, kafkaError);
    if (kafkaError === "OFFSET_OUT_OF_RANGE") error = await outOfRange(this.#cluster, topic, partition, offset);
    if (this.#assigned.get(name(topic, partition)) !== assigned) return;
    assigned.ready.push({ offset, answer, error });
    this.#waitingBytes += answer.records.length;
    this.#wake();
  }

  #failed(error: unknown): void {
    this.#failingSince ??= performance.now();
    this.#failure = error;
    if (isPassing(error)) this.#later();
    else this.#failingSince = Number.NEGATIVE_INFINITY; // waiting does not help
    this.#wake();
  }

  #retryLater(assigned: Assigned): void {
    assigned.retryAt = performance.now() + RETRY_PAUSE;
    this.#later();
  }

  #later(): void {
    setTimeout(() => void this.#refresh(), RETRY_PAUSE);
  }

  /** New metadata, then on. A topic that is gone stops its partitions. */
  async #refresh(): Promise<void> {
    if (this.#refreshing || this.#closed) return;
    this.#refreshing = true;
    try {
      for (const topic of new Set([...this.#assigned.values()].map(({ topic }) => topic))) {
        try {
          const { partitions, id } = (await this.#cluster.metadata([topic])).get(topic)!;
          if (this.#isAnother(topic, id)) throw recreated(topic);
          if (partitions.some(({ leader }) => leader < 0)) this.#later();
        } catch (error) {
          if (!(error instanceof MillraceError) || !["TOPIC_NOT_FOUND", "TOPIC_RECREATED"].includes(error.code))
            throw error;
          this.#gone(topic, error);
        }
      }
    } catch (error) {
      if (!this.#closed) this.#failed(error);
    } finally {
      this.#refreshing = false;
    }
    this.#send();
  }

  #isAnother(topic: string, id: string): boolean {
    return [...this.#assigned.values()].some(
      (assigned) => assigned.topic === topic && assigned.topicId !== undefined && assigned.topicId !== id,
    );
  }

  #gone(topic: string, error: MillraceError): void {
    const answer = {
      topic,
      errorCode: 3,
      highWatermark: -1,
      lastStableOffset: -1,
      abortedTransactions: [],
      records: Buffer.alloc(0),
    };
    for (const assigned of this.#assigned.values()) {
      if (assigned.topic !== topic || assigned.stopped) continue;
      assigned.stopped = true;
      assigned.ready.push({ offset: assigned.offset, answer: { ...answer, partition: assigned.partition }, error });
    }
    this.#wake();
  }
}

const name = (topic: string, partition: number) => `${topic}/${partition}`;
