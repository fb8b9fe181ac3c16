import type pl from "nodejs-polars";

/**
 * Texts as Polars holds them (Arrow's Utf8View). A text is four integers of 32 bits:
 *
 *     length ≤ 12:  length | its bytes, filled up with zeros
 *     longer:       length | its first 4 bytes | number of a buffer | place in that buffer
 */
export interface TextViews {
  readonly rows: number;
  readonly views: Int32Array;
  /** What longer texts lie in. */
  readonly buffers: readonly DataView[];
}

/**
 * A frame of one text column, without nulls, as the views of its chunks: one copy out of Polars, and no object per text.
 * @returns nothing where Polars writes its texts otherwise
 */
export function textViews(texts: pl.DataFrame): TextViews[] | undefined {
  const file = texts.writeIPC({ compression: "uncompressed" });
  // Int32Array takes places that are multiples of 4
  return recordBatches(file.byteOffset % 4 === 0 ? file : Buffer.copyBytesFrom(file));
}

const RECORD_BATCH = 3;

/*
 * Arrow's IPC file: "ARROW1\0\0", then messages, the last of length 0:
 *   Message   => -1 (int32) metadata_length (int32) metadata (flatbuffer) body
 *   metadata  => table { version, header_type, header, body_length }
 *   header    => table { rows (int64), nodes, buffers: [place (int64) length (int64)], compression, … } for a record batch
 * The buffers of a column of texts are validity, views, and those of its longer texts.
 */
function recordBatches(file: Buffer): TextViews[] | undefined {
  const made: TextViews[] = [];
  let at = 8;
  while (file.readInt32LE(at) === -1) {
    const length = file.readInt32LE(at + 4);
    if (length === 0) break;
    const message = new Table(file, at + 8);
    const body = at + 8 + length;
    if (message.byte(1) === RECORD_BATCH) {
      const batch = recordBatch(file, message.table(2), body);
      if (batch === undefined) return undefined;
      made.push(batch);
    }
    at = body + message.long(3);
  }
  return made;
}

function recordBatch(file: Buffer, header: Table, body: number): TextViews | undefined {
  const rows = header.long(0);
  const [, views, ...long] = header.pairs(2);
  if (views === undefined || views[1] !== 16 * rows) return undefined;
  return {
    rows,
    views: new Int32Array(file.buffer, file.byteOffset + body + views[0], 4 * rows),
    buffers: long.map(([place, length]) => new DataView(file.buffer, file.byteOffset + body + place, length)),
  };
}

/** A flatbuffer's table: its first integer leads back to where its fields are; a field that is not there is 0. */
class Table {
  readonly #bytes: Buffer;
  readonly #at: number;

  /** @param root where an integer says how far on the table is */
  constructor(bytes: Buffer, root: number) {
    this.#bytes = bytes;
    this.#at = root + bytes.readInt32LE(root);
  }

  #field(number: number): number {
    const fields = this.#at - this.#bytes.readInt32LE(this.#at);
    const place = 4 + 2 * number;
    const offset = place < this.#bytes.readUInt16LE(fields) ? this.#bytes.readUInt16LE(fields + place) : 0;
    return offset === 0 ? 0 : this.#at + offset;
  }

  byte(number: number): number {
    const at = this.#field(number);
    return at === 0 ? 0 : this.#bytes.readUInt8(at);
  }

  long(number: number): number {
    const at = this.#field(number);
    return at === 0 ? 0 : Number(this.#bytes.readBigInt64LE(at));
  }

  table(number: number): Table {
    return new Table(this.#bytes, this.#field(number));
  }

  /** A vector of pairs of 64 bits. */
  pairs(number: number): [number, number][] {
    const field = this.#field(number);
    if (field === 0) return [];
    const vector = field + this.#bytes.readInt32LE(field);
    return Array.from({ length: this.#bytes.readInt32LE(vector) }, (_, i) => [
      Number(this.#bytes.readBigInt64LE(vector + 4 + 16 * i)),
      Number(this.#bytes.readBigInt64LE(vector + 12 + 16 * i)),
    ]);
  }
}
