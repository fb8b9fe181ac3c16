import { MillraceError } from "../error.ts";
import type { BrokerConnection } from "./broker-connection.ts";
import type { Cluster } from "./cluster.ts";
import type { TopicPartition } from "./columns.ts";
import { BrokerRefused, kafkaErrorName, ProducerFenced } from "./errors.ts";
import type { GroupGeneration } from "./group-generation.ts";
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  endTxnV3,
  initProducerIdV4,
  txnOffsetCommitV3,
} from "./kafka-package.ts";

/** Who an idempotent producer is to the brokers. */
export interface ProducerIdentity {
  readonly id: number;
  readonly epoch: number;
}

/**
 * The open transaction is not ours to finish any more: it timed out at the coordinator, or its group has moved on.
 * Abort, and begin a new one.
 */
export class TransactionLost extends MillraceError {
  constructor(what: string, cause?: unknown) {
    super({
      code: "TRANSACTION_LOST",
      what,
      remedies: [
        "abort the transaction and do its work again",
        "raise the transaction timeout if its work takes longer",
      ],
      cause,
    });
  }
}

const PATIENCE = 60_000;
const LONGEST_BY_ITSELF = 60_000;

/** The conversation with the coordinators of one transactional id (or of none: an idempotent producer's identity). */
export class TransactionCoordinator {
  readonly #cluster: Cluster;
  readonly #transactionalId: string | undefined;
  #timeout: number;
  readonly #nodes = new Map<string, number>();

  constructor(cluster: Cluster, transactionalId: string | undefined, timeout: number) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#timeout = timeout;
  }

  /** The next transaction may stay open twice as long, up to a minute: one that was lost may have needed it. */
  lengthen(): void {
    this.#timeout = Math.max(this.#timeout, Math.min(LONGEST_BY_ITSELF, 2 * this.#timeout));
  }

  /**
   * A producer identity. For a transactional id it aborts what is open and fences every earlier holder;
   * with `previous` it raises that one's epoch instead, unless another producer has taken over.
   * @throws {ProducerFenced}
   */
  async initialise(previous?: ProducerIdentity): Promise<ProducerIdentity> {
    const id = this.#transactionalId;
    const keep = id !== undefined ? previous : undefined;
    return await this.#ask("initialising a producer", async (broker) => {
      const answer = await broker.request(
        initProducerIdV4.api,
        id ?? null,
        this.#timeout,
        BigInt(keep?.id ?? -1),
        keep?.epoch ?? -1,
      );
      const error = kafkaErrorName(answer.errorCode);
      if (error === "PRODUCER_FENCED" || error === "INVALID_PRODUCER_EPOCH")
        throw new ProducerFenced(id ?? "", new BrokerRefused("initialising a producer", error));
      this.#check("initialising a producer", answer.errorCode);
      return { id: Number(answer.producerId), epoch: answer.producerEpoch };
    });
  }

  async addPartitions({ id, epoch }: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<void> {
    const doing = "adding partitions to a transaction";
    const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(({ partition }) => partition),
    }));
    await this.#ask(doing, async (broker) => {
      const { resultsByTransaction } = await broker.request(addPartitionsToTxnV3.api, [
        {
          transactionalId: this.#transactionalId!,
          producerId: BigInt(id),
          producerEpoch: epoch,
          verifyOnly: false,
          topics,
        },
      ]);
      const results = resultsByTransaction.flatMap(({ topicResults }) =>
        topicResults.flatMap(({ name, resultsByPartition }) =>
          resultsByPartition.map(({ partitionErrorCode: code }) => ({ name, code })),
        ),
      );
      // one refused partition makes the others "not attempted": the reason comes first
      const failed = results.filter(({ code }) => code !== 0);
      const reason = failed.find(({ code }) => kafkaErrorName(code) !== "OPERATION_NOT_ATTEMPTED") ?? failed[0];
      if (reason !== undefined)
        this.#check(`adding partitions of topic "${reason.name}" to a transaction`, reason.code);
    });
  }

  /** Makes the offsets of a group part of the transaction; refused when `generation` is not the group's current one (KIP-447). */
  async commitOffsets(
    { id, epoch }: ProducerIdentity,
    groupId: string,
    generation: GroupGeneration | undefined,
    offsets: readonly (readonly [TopicPartition, number])[],
    metadata = "",
  ): Promise<void> {
    const doing = `committing offsets of group "${groupId}" in a transaction`;
    await this.#ask(doing, async (broker) => {
      const answer = await broker.request(addOffsetsToTxnV3.api, this.#transactionalId!, BigInt(id), epoch, groupId);
      this.#check(doing, answer.errorCode);
    });
    const topics = [...Map.groupBy(offsets, ([{ topic }]) => topic)].map(([name, ofTopic]) => ({
      name,
      partitions: ofTopic.map(([{ partition }, offset]) => ({
        partitionIndex: partition,
        committedOffset: BigInt(offset),
        committedLeaderEpoch: -1,
        committedMetadata: metadata,
      })),
    }));
    await this.#ask(
      doing,
      async (broker) => {
        const answer = await broker.request(
          txnOffsetCommitV3.api,
          this.#transactionalId!,
          groupId,
          BigInt(id),
          epoch,
          generation?.generationId ?? -1,
          generation?.memberId ?? "",
          generation?.instanceId ?? null,
          topics,
        );
        for (const { name, partitions } of answer.topics)
          for (const { errorCode } of partitions) this.#check(`${doing} for topic "${name}"`, errorCode);
      },
      groupId,
    );
  }

  /** Ends the transaction. Asking again after a lost answer is safe: the coordinator knows that it has ended it. */
  async end({ id, epoch }: ProducerIdentity, commit: boolean): Promise<void> {
    const doing = commit ? "committing a transaction" : "aborting a transaction";
    await this.#ask(doing, async (broker) => {
      const answer = await broker.request(endTxnV3.api, this.#transactionalId!, BigInt(id), epoch, commit);
      this.#check(doing, answer.errorCode);
    });
  }

  /** One question to the coordinator of the transactional id, or of a group; found anew before each further try. */
  async #ask<T>(doing: string, question: (broker: BrokerConnection) => Promise<T>, groupId?: string): Promise<T> {
    const key = groupId === undefined ? this.#transactionalId : groupId;
    const where = `${groupId === undefined ? "transaction" : "group"} ${key}`;
    return await this.#cluster.retry(
      doing,
      async () => {
        if (key === undefined) return await question(await this.#cluster.anyBroker());
        let node = this.#nodes.get(where);
        if (node === undefined) {
          node = await this.#cluster.coordinator(groupId === undefined ? "transaction" : "group", key);
          this.#nodes.set(where, node);
        }
        try {
          return await question(this.#cluster.broker(node, "transaction", this.#transactionalId ?? ""));
        } catch (error) {
          if (!(error instanceof BrokerRefused && error.kafkaError === "CONCURRENT_TRANSACTIONS"))
            this.#nodes.delete(where);
          throw error;
        }
      },
      PATIENCE,
    );
  }

  #check(doing: string, errorCode: number): void {
    if (errorCode === 0) return;
    const error = kafkaErrorName(errorCode);
    const cause = new BrokerRefused(doing, error);
    switch (error) {
      // after a timeout the coordinator answers the same as after a successor; initialise() tells them apart
      case "PRODUCER_FENCED":
      case "INVALID_PRODUCER_EPOCH":
      case "INVALID_PRODUCER_ID_MAPPING":
      case "INVALID_TXN_STATE":
        throw new TransactionLost(
          `Kafka answered ${error} when ${doing}: the transaction has ended without us.`,
          cause,
        );
      case "ILLEGAL_GENERATION":
      case "UNKNOWN_MEMBER_ID":
      case "FENCED_INSTANCE_ID":
        throw new TransactionLost(
          `Kafka answered ${error} when ${doing}: the group has moved on without this member.`,
          cause,
        );
      default:
        throw cause;
    }
  }
}
