/**
 * Byte strings of variable length as one buffer: string `i` is `bytes[starts[i] .. ends[i])`.
 * A null is marked in `nulls` and is empty.
 */
export interface ByteColumn {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  /** 1 where the value is null; absent when none is. */
  readonly nulls?: Uint8Array;
}

export interface RecordHeader {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * Records of one topic partition as columns, in offset order; all columns have `count` entries.
 * After {@link decodeRecordBatches} every value in `values.bytes` is followed by one `\n`, so that the buffer of a
 * line format (JSON) can be given to a line parser as it is (unless values were to be `aligned`).
 */
export interface RecordColumns {
  readonly count: number;
  readonly keys: ByteColumn;
  readonly values: ByteColumn;
  /** Milliseconds since the epoch. */
  readonly timestamps: Float64Array;
  /** Log offsets; absent on records that are to be written. */
  readonly offsets?: Float64Array;
  /** Only where they were asked for; an entry is undefined where a record has none. */
  readonly headers?: readonly (readonly RecordHeader[] | undefined)[];
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}
