import { Reader, Writer } from "@platformatic/kafka";
import type { TopicPartition } from "./columns.ts";

/*
  What members of a consumer group tell each other through the coordinator (ConsumerProtocolSubscription, -Assignment of Kafka's clients;
  kafka-consumer-groups reads them too).

  Subscription (Version: 2) => version INT16, [topics] user_data NULLABLE_BYTES, [owned_partitions] generation_id INT32
    topics => STRING
    owned_partitions => topic STRING, [partitions INT32]
  Assignment (Version: 1) => version INT16, [assigned_partitions] user_data NULLABLE_BYTES
    assigned_partitions => topic STRING, [partitions INT32]
*/

export interface Subscription {
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** The generation in which `owned` was assigned; -1 for a new member. */
  readonly generation: number;
}

export function writeSubscription({ topics, owned, generation }: Subscription): Buffer {
  return Writer.create()
    .appendInt16(2)
    .appendArray([...topics], (writer, topic) => writer.appendString(topic, false), false, false)
    .appendInt32(-1)
    .appendArray(byTopic(owned), writePartitions, false, false)
    .appendInt32(generation).buffer;
}

export function readSubscription(bytes: Buffer): Subscription {
  const reader = Reader.from(bytes);
  const version = reader.readInt16();
  const topics = reader.readArray((reader) => reader.readString(false), false, false);
  reader.readNullableBytes(false);
  const owned = version >= 1 ? reader.readArray(readPartitions, false, false).flat() : [];
  return { topics, owned, generation: version >= 2 ? reader.readInt32() : -1 };
}

export function writeAssignment(partitions: readonly TopicPartition[]): Buffer {
  return Writer.create().appendInt16(1).appendArray(byTopic(partitions), writePartitions, false, false).appendInt32(-1)
    .buffer;
}

/** An empty buffer, as a member gets that was given nothing, is an empty assignment. */
export function readAssignment(bytes: Buffer): TopicPartition[] {
  if (bytes.length === 0) return [];
  const reader = Reader.from(bytes);
  reader.readInt16();
  return reader.readArray(readPartitions, false, false).flat();
}

type OfTopic = [string, TopicPartition[]];

const byTopic = (partitions: readonly TopicPartition[]): OfTopic[] => [
  ...Map.groupBy(partitions, ({ topic }) => topic),
];

function writePartitions(writer: Writer, [topic, partitions]: OfTopic): void {
  writer
    .appendString(topic, false)
    .appendArray(partitions, (writer, { partition }) => writer.appendInt32(partition), false, false);
}

function readPartitions(reader: Reader): TopicPartition[] {
  const topic = reader.readString(false);
  return reader.readArray((reader) => ({ topic, partition: reader.readInt32() }), false, false);
}
