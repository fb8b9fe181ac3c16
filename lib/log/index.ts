/** Kafka as columns: connections, metadata, fetch, the record-batch codec, produce, transactions, group membership. */
export { isPassing } from "./broker-connection.ts";
export { Cluster, type PartitionMetadata, type TopicMetadata, type TopicOptions } from "./cluster.ts";
export type { ByteColumn, RecordColumns, RecordHeader, TopicPartition } from "./columns.ts";
export { type CommittedPosition, commitOffsets, committedOffsets, committedPositions } from "./committed-offsets.ts";
export { COMPRESSIONS, type Compression } from "./compression.ts";
export { type KafkaConfig, kafkaConfigFromEnv, type SaslMechanism } from "./config.ts";
export { type DecodedRecords, type DecodeOptions, decodeRecordBatches } from "./decode.ts";
export { type EncodedBatch, type EncodeOptions, encodeRecordBatch, encodeRecordBatches } from "./encode.ts";
export { BrokerRefused, CorruptRecords, ProducerFenced } from "./errors.ts";
export { type FetchedPartition, Fetcher, type FetcherOptions } from "./fetcher.ts";
export type { GroupGeneration } from "./group-generation.ts";
export { GroupMember, type GroupMemberOptions } from "./group-member.ts";
export { murmur2, partitionOf } from "./murmur2.ts";
export { partitionByKey, takeRecords } from "./partition-by-key.ts";
export { PartitionWatch } from "./partition-watch.ts";
export { Producer, type ProducerOptions } from "./producer.ts";
export { TransactionLost } from "./transaction-coordinator.ts";
export { UnreachableBroker } from "./unreachable.ts";
