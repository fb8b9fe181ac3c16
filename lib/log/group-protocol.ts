import type { TopicPartition } from "./columns.ts";
import { Reader, Writer } from "./kafka-package.ts";

/*
  What members of a consumer group tell each other through the coordinator (ConsumerProtocolSubscription, -Assignment of Kafka's clients;
  kafka-consumer-groups reads them too).

  Subscription (Version: 2) => version INT16, [topics] user_data NULLABLE_BYTES, [owned_partitions] generation_id INT32
    topics => STRING
    owned_partitions => topic STRING, [partitions INT32]
  Assignment (Version: 1) => version INT16, [assigned_partitions] user_data NULLABLE_BYTES
    assigned_partitions => topic STRING, [partitions INT32]

  user_data is ours, JSON; null where no standbys are kept.
    of a subscription: {"replicas": 1, "warm": [0, 3]}
    of an assignment:  {"standby": [1, 2], "next": [2]}
*/

export interface Subscription {
  readonly topics: readonly string[];
  readonly owned: readonly TopicPartition[];
  /** The generation in which `owned` was assigned; -1 for a new member. */
  readonly generation: number;
  /** How many copies of the state of each partition are to be kept beside the owner's; 0 by default. */
  readonly replicas?: number;
  /** Partition numbers of whose state this member has a copy that is up to date. */
  readonly warm?: readonly number[];
}

/** What a member is given. */
export interface Assignment {
  readonly partitions: readonly TopicPartition[];
  /** Partition numbers of whose state it is to keep a copy. */
  readonly standby: readonly number[];
  /** Those of them that it will be given once it has told that its copy is up to date. */
  readonly next: readonly number[];
}

export function writeSubscription({ topics, owned, generation, replicas = 0, warm = [] }: Subscription): Buffer {
  return Writer.create()
    .appendInt16(2)
    .appendArray([...topics], (writer, topic) => writer.appendString(topic, false), false, false)
    .appendBytes(replicas === 0 ? null : json({ replicas, warm }), false)
    .appendArray(byTopic(owned), writePartitions, false, false)
    .appendInt32(generation).buffer;
}

export function readSubscription(bytes: Buffer): Subscription {
  const reader = Reader.from(bytes);
  const version = reader.readInt16();
  const topics = reader.readArray((reader) => reader.readString(false), false, false);
  const { replicas = 0, warm = [] } = parsed<Subscription>(reader.readNullableBytes(false));
  const owned = version >= 1 ? reader.readArray(readPartitions, false, false).flat() : [];
  return { topics, owned, generation: version >= 2 ? reader.readInt32() : -1, replicas, warm };
}

export function writeAssignment({ partitions, standby, next }: Assignment): Buffer {
  return Writer.create()
    .appendInt16(1)
    .appendArray(byTopic(partitions), writePartitions, false, false)
    .appendBytes(standby.length === 0 ? null : json({ standby, next }), false).buffer;
}

/** An empty buffer, as a member gets that was given nothing, is an empty assignment. */
export function readAssignment(bytes: Buffer): Assignment {
  if (bytes.length === 0) return { partitions: [], standby: [], next: [] };
  const reader = Reader.from(bytes);
  reader.readInt16();
  const partitions = reader.readArray(readPartitions, false, false).flat();
  const { standby = [], next = [] } = parsed<Assignment>(reader.readNullableBytes(false));
  return { partitions, standby, next };
}

const json = (value: unknown) => Buffer.from(JSON.stringify(value));

/** Members of another build may have put something else there. */
function parsed<T>(bytes: Buffer | null): Partial<T> {
  try {
    return bytes === null ? {} : ((JSON.parse(bytes.toString()) ?? {}) as Partial<T>);
  } catch {
    return {};
  }
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
