/*
  Confluent wire format: magic byte 0, schema id INT32 big-endian, payload. In Protobuf the payload starts with the place of the message in its
  file: the number of indexes and the indexes as zigzag varints; a single 0 byte stands for [0].
*/
export const HEADER = 5;

/** The schema id of the value from `start` to `end`, or undefined where it does not start like that. */
export function schemaIdOf(bytes: Buffer, start = 0, end = bytes.length): number | undefined {
  return end - start >= HEADER && bytes[start] === 0 ? bytes.readInt32BE(start + 1) : undefined;
}

export function header(id: number, more = 0): Buffer {
  const bytes = Buffer.alloc(HEADER + more);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

/** The indexes of a Protobuf message, and where its bytes start. @throws RangeError */
export function messageIndexes(value: Buffer): { indexes: number[]; at: number } {
  let at = HEADER;
  const varint = (): number => {
    let raw = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = value[at++];
      if (byte === undefined || shift > 28) throw new RangeError("no message index");
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
    }
  };
  const count = varint();
  if (count < 0 || count > 64) throw new RangeError("no message index");
  return { indexes: count === 0 ? [0] : Array.from({ length: count }, varint), at };
}
