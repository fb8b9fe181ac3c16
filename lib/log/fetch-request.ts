import type { WireRequest } from "./broker-connection.ts";
import { type Reader, Writer } from "./kafka-package.ts";

/*
  Fetch Request (Version: 12) => replica_id max_wait_ms min_bytes max_bytes isolation_level session_id session_epoch [topics]
      [forgotten_topics_data] rack_id TAG_BUFFER
    replica_id, max_wait_ms, min_bytes, max_bytes => INT32
    isolation_level => INT8                    0 read uncommitted, 1 read committed
    session_id, session_epoch => INT32         0 and -1: no session, every partition each time
    topics => topic COMPACT_STRING [partitions] TAG_BUFFER
      partitions => partition INT32, current_leader_epoch INT32, fetch_offset INT64, last_fetched_epoch INT32,
          log_start_offset INT64, partition_max_bytes INT32, TAG_BUFFER
    rack_id => COMPACT_STRING

  Fetch Response (Version: 12) => throttle_time_ms INT32, error_code INT16, session_id INT32, [responses] TAG_BUFFER
    responses => topic COMPACT_STRING [partitions] TAG_BUFFER
      partitions => partition_index INT32, error_code INT16, high_watermark INT64, last_stable_offset INT64, log_start_offset INT64,
          [aborted_transactions] preferred_read_replica INT32, records COMPACT_RECORDS, TAG_BUFFER
        aborted_transactions => producer_id INT64, first_offset INT64, TAG_BUFFER
*/

const FETCH = 1;
const VERSION = 12;

export interface PartitionToFetch {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

export interface FetchLimits {
  readonly isolation: "read_committed" | "read_uncommitted";
  /** Per answer, bytes. */
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
  /** How long the broker waits for a first byte, ms. */
  readonly maxWait: number;
}

export interface PartitionAnswer {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly abortedTransactions: readonly { readonly producerId: number; readonly firstOffset: number }[];
  /** Record batches, the last one perhaps cut off. The memory is the reader's own. */
  readonly records: Buffer;
}

export interface FetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly PartitionAnswer[];
}

export function fetchRequest(partitions: readonly PartitionToFetch[], limits: FetchLimits): WireRequest<FetchAnswer> {
  return {
    apiKey: FETCH,
    apiVersion: VERSION,
    write: () =>
      Writer.create()
        .appendInt32(-1)
        .appendInt32(limits.maxWait)
        .appendInt32(1)
        .appendInt32(limits.maxBytes)
        .appendInt8(limits.isolation === "read_committed" ? 1 : 0)
        .appendInt32(0)
        .appendInt32(-1)
        .appendArray(runsOfTopic(partitions), (writer, [topic, run]) => {
          writer.appendString(topic).appendArray(run, (writer, { partition, offset }) => {
            writer
              .appendInt32(partition)
              .appendInt32(-1)
              .appendInt64(BigInt(offset))
              .appendInt32(-1)
              .appendInt64(-1n)
              .appendInt32(limits.partitionMaxBytes);
          });
        })
        .appendArray([], () => {})
        .appendString("")
        .appendTaggedFields(),
    read: readAnswer,
  };
}

function readAnswer(reader: Reader): FetchAnswer {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const partitions: PartitionAnswer[] = [];
  reader.readArray((reader) => {
    const topic = reader.readString();
    reader.readArray((reader) => {
      const partition = reader.readInt32();
      const errorCode = reader.readInt16();
      const highWatermark = Number(reader.readInt64());
      const lastStableOffset = Number(reader.readInt64());
      reader.readInt64();
      const abortedTransactions = reader.readArray((reader) => ({
        producerId: Number(reader.readInt64()),
        firstOffset: Number(reader.readInt64()),
      }));
      reader.readInt32();
      const records = reader.readBytes();
      partitions.push({ topic, partition, errorCode, highWatermark, lastStableOffset, abortedTransactions, records });
    });
  });
  return { errorCode, partitions };
}

/** Neighbours of the same topic together. The order over all stays: the broker fills its answer from the front. */
function runsOfTopic(partitions: readonly PartitionToFetch[]): [string, PartitionToFetch[]][] {
  const runs: [string, PartitionToFetch[]][] = [];
  for (const partition of partitions) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] === partition.topic) last[1].push(partition);
    else runs.push([partition.topic, [partition]]);
  }
  return runs;
}
