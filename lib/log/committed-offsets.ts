import type { Cluster } from "./cluster.ts";
import type { TopicPartition } from "./columns.ts";
import { BrokerRefused, kafkaErrorName } from "./errors.ts";
import type { GroupGeneration } from "./group-generation.ts";
import { offsetCommitV8, offsetFetchV7 } from "./kafka-package.ts";

/** Transactions of a member that went away are open until their timeout; stable offsets are waited for that long. */
const PATIENCE = 90_000;

/** A committed offset and the text that was committed with it. */
export interface CommittedPosition {
  readonly offset: number;
  readonly metadata: string;
}

/** The committed offsets of a group without their metadata, see {@link committedPositions}. */
export async function committedOffsets(
  ...asked: Parameters<typeof committedPositions>
): Promise<Map<string, Map<number, number>>> {
  const positions = await committedPositions(...asked);
  return new Map(
    [...positions].map(([topic, partitions]) => [
      topic,
      new Map([...partitions].map(([partition, { offset }]) => [partition, offset])),
    ]),
  );
}

/**
 * What a group has committed: `topic` -> partition -> position; partitions without one are absent. Joins nothing.
 * With `requireStable` (the default) it waits for transactions that are about to commit offsets.
 */
export async function committedPositions(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  options: { requireStable?: boolean } = {},
): Promise<Map<string, Map<number, CommittedPosition>>> {
  const doing = `reading the committed offsets of group "${groupId}"`;
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }));
  const positions = new Map<string, Map<number, CommittedPosition>>();
  if (partitions.length === 0) return positions;
  await cluster.retry(
    doing,
    async () => {
      const broker = cluster.broker(await cluster.coordinator("group", groupId), "control");
      const answer = await broker.request(offsetFetchV7.api, [{ groupId, topics }], options.requireStable ?? true);
      if (answer.errorCode !== 0) throw new BrokerRefused(doing, kafkaErrorName(answer.errorCode));
      for (const topic of answer.topics) {
        for (const { partitionIndex, committedOffset, metadata, errorCode } of topic.partitions) {
          if (errorCode !== 0) throw new BrokerRefused(doing, kafkaErrorName(errorCode));
          if (committedOffset < 0n) continue;
          if (!positions.has(topic.name)) positions.set(topic.name, new Map());
          positions.get(topic.name)!.set(partitionIndex, { offset: Number(committedOffset), metadata: metadata ?? "" });
        }
      }
    },
    PATIENCE,
  );
  return positions;
}

/**
 * Commits offsets outside a transaction; with the generation of the member that read them, or without for a group that has no members.
 * @throws {BrokerRefused} `ILLEGAL_GENERATION`, `UNKNOWN_MEMBER_ID`, `FENCED_INSTANCE_ID` when the group has moved on
 */
export async function commitOffsets(
  cluster: Cluster,
  groupId: string,
  generation: GroupGeneration | undefined,
  offsets: Iterable<readonly [TopicPartition, number]>,
): Promise<void> {
  const doing = `committing offsets of group "${groupId}"`;
  const topics = [...Map.groupBy(offsets, ([{ topic }]) => topic)].map(([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(([{ partition }, offset]) => ({
      partitionIndex: partition,
      committedOffset: BigInt(offset),
      committedLeaderEpoch: -1,
      committedMetadata: "",
    })),
  }));
  await cluster.retry(doing, async () => {
    const broker = cluster.broker(await cluster.coordinator("group", groupId), "control");
    const { generationId = -1, memberId = "", instanceId = null } = generation ?? {};
    const answer = await broker.request(offsetCommitV8.api, groupId, generationId, memberId, instanceId, topics);
    for (const { partitions } of answer.topics)
      for (const { errorCode } of partitions)
        if (errorCode !== 0) throw new BrokerRefused(doing, kafkaErrorName(errorCode));
  });
}
