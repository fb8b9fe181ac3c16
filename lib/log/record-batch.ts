/*
  Record batch, format v2 (KIP-98; kafka.apache.org/documentation/#recordbatch). All integers big-endian.

  RecordBatch =>
     0  baseOffset            INT64
     8  batchLength           INT32   bytes after this field
    12  partitionLeaderEpoch  INT32
    16  magic                 INT8    2; 0 and 1 are the message sets of Kafka before 0.11
    17  crc                   UINT32  CRC-32C of everything from `attributes` on
    21  attributes            INT16   bits 0-2 compression, 3 timestamp type (1: log append), 4 transactional, 5 control
    23  lastOffsetDelta       INT32
    27  baseTimestamp         INT64
    35  maxTimestamp          INT64
    43  producerId            INT64   -1: not idempotent
    51  producerEpoch         INT16
    53  baseSequence          INT32
    57  recordCount           INT32
    61  records, compressed as one block when attributes say so

  Record =>
    length          VARINT   bytes after this field
    attributes      INT8
    timestampDelta  VARLONG  to baseTimestamp
    offsetDelta     VARINT   to baseOffset
    keyLength       VARINT   -1: null
    key             BYTES
    valueLength     VARINT   -1: null
    value           BYTES
    headerCount     VARINT
    headers         [keyLength VARINT, key BYTES, valueLength VARINT (-1: null), value BYTES]

  VARINT and VARLONG are zigzag-coded, seven bits a byte, lowest first.

  A control batch holds one record whose key is: version INT16, type INT16 (0 abort, 1 commit).
*/

export const HEADER_BYTES = 61;
/** Bytes of a batch before `batchLength` starts to count. */
export const LENGTH_PREFIX = 12;
export const MAGIC_AT = 16;
export const CRC_AT = 17;
export const ATTRIBUTES_AT = 21;
export const COUNT_AT = 57;

export const COMPRESSION_MASK = 0b111;
export const LOG_APPEND_TIME = 0b1000;
export const TRANSACTIONAL = 0b1_0000;
export const CONTROL = 0b10_0000;

/** The smallest record: length, attributes, two deltas, two lengths, header count; one byte each. */
export const MIN_RECORD_BYTES = 7;

const TWO_32 = 2 ** 32;

/** An INT64 as a number; exact to 2^53, which offsets, timestamps and producer ids stay below. */
export function readInt64(bytes: DataView, at: number): number {
  return bytes.getInt32(at) * TWO_32 + bytes.getUint32(at + 4);
}

export function writeInt64(bytes: DataView, at: number, value: number): void {
  bytes.setInt32(at, Math.floor(value / TWO_32));
  bytes.setUint32(at + 4, value >>> 0);
}
