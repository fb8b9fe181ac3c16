import type { WireRequest } from "./broker-connection.ts";
import { type Reader, Writer } from "./kafka-package.ts";

/*
  Produce Request (Version: 9) => transactional_id COMPACT_NULLABLE_STRING, acks INT16, timeout_ms INT32, [topic_data] TAG_BUFFER
    topic_data => name COMPACT_STRING [partition_data] TAG_BUFFER
      partition_data => index INT32, records COMPACT_RECORDS (one record batch), TAG_BUFFER

  Produce Response (Version: 9) => [responses] throttle_time_ms INT32, TAG_BUFFER
    responses => name COMPACT_STRING [partition_responses] TAG_BUFFER
      partition_responses => index INT32, error_code INT16, base_offset INT64, log_append_time_ms INT64, log_start_offset INT64,
          [record_errors] error_message COMPACT_NULLABLE_STRING, TAG_BUFFER
        record_errors => batch_index INT32, batch_index_error_message COMPACT_NULLABLE_STRING, TAG_BUFFER
*/

const PRODUCE = 0;
const VERSION = 9;

export interface BatchToProduce {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Buffer;
}

export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

export function produceRequest(
  batches: readonly BatchToProduce[],
  options: { readonly transactionalId: string | undefined; readonly acks: number; readonly timeout: number },
): WireRequest<ProducedBatch[]> {
  return {
    apiKey: PRODUCE,
    apiVersion: VERSION,
    write: () =>
      Writer.create()
        .appendString(options.transactionalId)
        .appendInt16(options.acks)
        .appendInt32(options.timeout)
        .appendArray([...Map.groupBy(batches, ({ topic }) => topic)], (writer, [topic, ofTopic]) => {
          writer.appendString(topic).appendArray(ofTopic, (writer, { partition, bytes }) => {
            writer.appendInt32(partition).appendBytes(bytes);
          });
        })
        .appendTaggedFields(),
    read: readAnswer,
  };
}

function readAnswer(reader: Reader): ProducedBatch[] {
  const produced: ProducedBatch[] = [];
  reader.readArray((reader) => {
    const topic = reader.readString();
    reader.readArray((reader) => {
      const partition = reader.readInt32();
      const errorCode = reader.readInt16();
      reader.skip(24);
      const messages = reader.readArray((reader) => {
        reader.readInt32();
        return reader.readNullableString();
      });
      const errorMessage = reader.readNullableString() ?? messages[0] ?? null;
      produced.push({ topic, partition, errorCode, errorMessage });
    });
  });
  return produced;
}
