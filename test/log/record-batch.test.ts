import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { crc32c } from "../../lib/log/checksum.ts";
import {
  COMPRESSIONS,
  type Compression,
  CorruptRecords,
  decodeRecordBatches,
  encodeRecordBatch,
  encodeRecordBatches,
} from "../../lib/log/index.ts";
import { columnsOf, numbered, rowsOf, type TestRecord, valuesOf } from "./records.ts";

/** A batch as a broker would hold it: at this base offset, from this producer; the checksum made right again. */
function batchAt(
  baseOffset: number,
  records: readonly TestRecord[],
  options: { compression?: Compression; attributes?: number; producerId?: number; maxTimestamp?: number } = {},
): Buffer {
  const { bytes } = encodeRecordBatch(columnsOf(records), options);
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  bytes.writeInt16BE(bytes.readInt16BE(21) | (options.attributes ?? 0), 21);
  if (options.producerId !== undefined) bytes.writeBigInt64BE(BigInt(options.producerId), 43);
  if (options.maxTimestamp !== undefined) bytes.writeBigInt64BE(BigInt(options.maxTimestamp), 35);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, 21, bytes.length), 17);
  return bytes;
}

const BIG: TestRecord = { key: null, value: "0".repeat(100_000), timestamp: 0 };
/** The head of an LZ4 frame whose content size is given, as 2^42. */
const LZ4_CLAIM = Buffer.from([0x04, 0x22, 0x4d, 0x18, 0x68, 0x70, 0, 0, 0, 0, 0, 4, 0, 0, 0]);
const withHeaders = (count: number): TestRecord[] =>
  numbered(count).map((record, i) => ({ ...record, headers: { trace: String(i), none: null } }));
const TRANSACTIONAL = 16;
const CONTROL = 32;
const marker = (baseOffset: number, producerId: number, type: "abort" | "commit") =>
  batchAt(baseOffset, [{ key: `\0\0\0${type === "abort" ? "\0" : "\x01"}`, value: "\0\0\0\0\0\0", timestamp: 0 }], {
    attributes: TRANSACTIONAL | CONTROL,
    producerId,
  });

describe("round trips", () => {
  const record = fc.record({
    key: fc.option(fc.string({ unit: "binary", maxLength: 300 })),
    value: fc.option(fc.string({ unit: "binary", maxLength: 2000 })),
    timestamp: fc.oneof(fc.integer({ min: 0, max: 2 ** 45 }), fc.integer({ min: 1.7e12, max: 1.7e12 + 2000 })),
    headers: fc.option(
      fc.dictionary(fc.string({ maxLength: 80 }), fc.option(fc.string({ maxLength: 200 })), {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      }),
      { nil: undefined },
    ),
  });
  for (const compression of COMPRESSIONS)
    test(`any records come back as they were: ${compression}`, () => {
      fc.assert(
        fc.property(fc.array(record, { maxLength: 60 }), fc.nat(2 ** 40), (records, base) => {
          const decoded = decodeRecordBatches(batchAt(base, records, { compression }), {
            headers: true,
            newlines: "keep",
          });
          const clean = records.map(({ headers, ...rest }, i) => ({
            ...rest,
            ...(headers && { headers }),
            offset: base + i,
          }));
          assert.deepEqual(rowsOf(decoded), clean);
          assert.equal(decoded.nextOffset, base + Math.max(records.length, 1));
        }),
        { numRuns: 60 },
      );
    });

  test("batches are split by size, a larger record alone", () => {
    const records = [...numbered(1000), { key: "big", value: "x".repeat(30_000), timestamp: 5 }, ...numbered(10)];
    const batches = encodeRecordBatches(columnsOf(records), { maxBytes: 10_000 });
    assert.ok(batches.length > 5);
    for (const { bytes, count } of batches) assert.ok(bytes.length <= 10_000 || count === 1);
    let base = 0;
    const log = batches.map(({ bytes, count }) => {
      bytes.writeBigInt64BE(BigInt(base), 0);
      base += count;
      return bytes;
    });
    const decoded = decodeRecordBatches(Buffer.concat(log));
    assert.deepEqual(
      valuesOf(decoded),
      records.map(({ value }) => value),
    );
  });

  test("twenty thousand batches of one record each, and one of several megabytes", () => {
    const tiny = Array.from({ length: 20_000 }, (_, i) => batchAt(i, [{ key: "k", value: `${i}`, timestamp: i }]));
    const large = batchAt(20_000, [{ key: null, value: "y".repeat(3_000_000), timestamp: 1 }, ...numbered(50_000)]);
    const decoded = decodeRecordBatches(Buffer.concat([...tiny, large]));
    assert.equal(decoded.count, 70_001);
    assert.equal(decoded.offsets[19_999], 19_999);
    assert.equal(decoded.nextOffset, 70_001);
    assert.equal(decoded.values.ends[20_000]! - decoded.values.starts[20_000]!, 3_000_000);
  });
});

describe("the value buffer", () => {
  test("is one line per record: newlines inside become spaces, null and empty values are empty lines", () => {
    const texts = ["{\n}", null, "", "a\nb\nc", "plain", "\n"];
    const records = texts.map((value, i) => ({ key: "k", value, timestamp: i }));
    const { values } = decodeRecordBatches(batchAt(0, records));
    assert.equal(String(Buffer.from(values.bytes)), "{ }\n\n\na b c\nplain\n \n");
    assert.deepEqual([...values.nulls!], [0, 1, 0, 0, 0, 0]);
  });

  test("keeps newlines when asked to", () => {
    const { values } = decodeRecordBatches(batchAt(0, [{ key: null, value: "a\nb", timestamp: 0 }]), {
      newlines: "keep",
    });
    assert.equal(String(Buffer.from(values.bytes)), "a\nb\n");
  });
});

describe("what is left out", () => {
  const log = (...batches: Buffer[]) => Buffer.concat(batches);

  test("records before the asked offset", () => {
    const decoded = decodeRecordBatches(log(batchAt(0, numbered(5)), batchAt(5, numbered(5, "w"))), { fromOffset: 3 });
    assert.deepEqual(valuesOf(decoded), ["v3", "v4", "w0", "w1", "w2", "w3", "w4"]);
    assert.deepEqual([...decoded.offsets], [3, 4, 5, 6, 7, 8, 9]);
  });

  test("a batch cut off at the end", () => {
    const second = batchAt(5, numbered(5));
    for (const cut of [1, 20, 61, second.length - 1]) {
      const decoded = decodeRecordBatches(log(batchAt(0, numbered(5)), second.subarray(0, cut)));
      assert.equal(decoded.count, 5);
      assert.equal(decoded.nextOffset, 5);
    }
  });

  test("control batches, while the next offset goes past them", () => {
    const decoded = decodeRecordBatches(log(batchAt(0, numbered(2)), marker(2, 9, "commit")));
    assert.equal(decoded.count, 2);
    assert.equal(decoded.nextOffset, 3);
  });

  test("aborted transactions, interleaved with committed ones of other producers", () => {
    const transactional = (base: number, producerId: number, stem: string) =>
      batchAt(base, numbered(2, stem), { attributes: TRANSACTIONAL, producerId });
    const bytes = () =>
      log(
        transactional(0, 1, "aborted"),
        transactional(2, 2, "kept"),
        transactional(4, 1, "aborted"),
        marker(6, 1, "abort"),
        transactional(7, 1, "again"),
        marker(9, 2, "commit"),
        marker(10, 1, "commit"),
      );
    const abortedTransactions = [{ producerId: 1, firstOffset: 0 }];
    assert.deepEqual(valuesOf(decodeRecordBatches(bytes(), { abortedTransactions })), [
      "kept0",
      "kept1",
      "again0",
      "again1",
    ]);
    assert.equal(decodeRecordBatches(bytes()).count, 8, "read uncommitted");
    assert.equal(decodeRecordBatches(bytes(), { abortedTransactions }).nextOffset, 11);
  });

  test("compacted batches keep the offsets of what is left", () => {
    const bytes = batchAt(100, numbered(3));
    bytes.writeInt32BE(50, 23); // last offset delta: records behind the third were compacted away
    const decoded = decodeRecordBatches(sealed(bytes));
    assert.deepEqual([...decoded.offsets], [100, 101, 102]);
    assert.equal(decoded.nextOffset, 151);
  });
});

test("log-append time stamps every record with the batch's time", () => {
  const decoded = decodeRecordBatches(batchAt(0, numbered(3), { attributes: 8, maxTimestamp: 42 }));
  assert.deepEqual([...decoded.timestamps], [42, 42, 42]);
});

describe("bytes that are wrong", () => {
  const where = { topic: "orders", partition: 3 };

  test("a flipped bit is a checksum error that names topic, partition and offset", () => {
    const bytes = batchAt(7, numbered(3));
    bytes[80]! ^= 1;
    assert.throws(
      () => decodeRecordBatches(bytes, where),
      (error: CorruptRecords) => {
        assert.equal(error.code, "CORRUPT_RECORDS");
        assert.match(error.message, /checksum.*\n.*topic orders, partition 3, batch at offset 7/);
        return true;
      },
    );
  });

  test("message formats before v2 are refused by name", () => {
    for (const magic of [0, 1]) {
      const bytes = batchAt(0, numbered(3));
      bytes[16] = magic;
      assert.throws(() => decodeRecordBatches(bytes, where), new RegExp(`messages of format v${magic}`));
    }
  });

  test("a claimed record count beyond the bytes is refused before anything is allocated for it", () => {
    const bytes = batchAt(0, numbered(3));
    bytes.writeInt32BE(0x7fffffff, 57);
    assert.throws(() => decodeRecordBatches(sealed(bytes), where), /claims 2147483647 records/);
  });

  // 64 MiB of zeros take at most some hundred kilobytes; snappy's own limit is a factor of about 20
  const bombs = COMPRESSIONS.filter((codec) => codec !== "none").map((codec) => {
    const record = { key: null, value: "0".repeat(codec === "snappy" ? 2 ** 20 : 2 ** 26), timestamp: 0 };
    return [codec, batchAt(0, [record], { compression: codec }), record.value.length] as const;
  });
  for (const [codec, bomb, inflated] of bombs)
    test(`a small batch that grows beyond the bound is refused, without growing: ${codec}`, () => {
      assert.ok(bomb.length < inflated / 15, `${bomb.length} bytes`);
      assert.equal(decodeRecordBatches(Buffer.from(bomb), where).count, 1, "within the default bound");
      const before = process.memoryUsage();
      const maxDecompressed = inflated / 8;
      assert.throws(
        () => decodeRecordBatches(Buffer.from(bomb), { ...where, maxDecompressed }),
        (error: CorruptRecords) => {
          assert.equal(error.code, "CORRUPT_RECORDS");
          assert.match(error.message, /does not decompress \(.*topic orders, partition 3, batch at offset 0/s);
          return true;
        },
      );
      const { arrayBuffers, external } = process.memoryUsage();
      const grown = arrayBuffers + external - before.arrayBuffers - before.external;
      assert.ok(grown < inflated, `${grown} bytes more`);
    });

  test("the bound is for all batches of an answer together", () => {
    const bytes = () => Buffer.concat([0, 1, 2, 3].map((base) => batchAt(base, [BIG], { compression: "zstd" })));
    assert.equal(decodeRecordBatches(bytes(), { maxDecompressed: 4 * 110_000 }).count, 4);
    assert.throws(
      () => decodeRecordBatches(bytes(), { ...where, maxDecompressed: 3.5 * 100_000 }),
      /batch at offset 3/,
    );
  });

  for (const [codec, claim] of [
    ["snappy", (block: Buffer) => Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), block.subarray(16)])],
    ["lz4", (block: Buffer) => Buffer.concat([LZ4_CLAIM, block.subarray(7)])],
  ] as const)
    test(`a block that declares gigabytes is refused before anything is allocated for them: ${codec}`, () => {
      const whole = batchAt(0, numbered(20), { compression: codec });
      const bytes = Buffer.concat([whole.subarray(0, 61), claim(whole.subarray(61))]);
      bytes.writeInt32BE(bytes.length - 12, 8);
      assert.throws(() => decodeRecordBatches(sealed(bytes), where), /grow.*beyond|impossible length/);
    });

  test("headers that claim more than there is are refused", () => {
    const record = { key: "k", value: "v", timestamp: 0, headers: { name: "text" } };
    const at = batchAt(0, [record]).lastIndexOf("name") - 2; // the count; then the length of the name
    for (const [what, offset, byte] of [
      ["many headers", 0, 0x7e],
      ["a negative count", 0, 0x01],
      ["a long name", 1, 0x7e],
      ["a negative name", 1, 0x01],
      ["a long text", 6, 0x7e],
      ["a text below null", 6, 0x03],
    ] as const) {
      const bytes = batchAt(0, [record]);
      bytes[at + offset] = byte;
      assert.throws(() => decodeRecordBatches(sealed(bytes), { ...where, headers: true }), CorruptRecords, what);
    }
  });

  test("any damage gives an error or fewer records, never a hang, a huge allocation or bytes from elsewhere", () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    console.log(`SEED=${seed}`);
    const outcomes = { decoded: 0, refused: 0 };
    fc.assert(
      fc.property(
        fc.constantFrom(...COMPRESSIONS),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.boolean(),
        (compression, damage, cut, seal) => {
          const whole = Buffer.concat([
            batchAt(0, withHeaders(20), { compression }),
            batchAt(20, numbered(20, "w"), { compression }),
          ]);
          const firstEnd = 12 + whole.readInt32BE(8);
          for (const [at, byte] of damage) whole[16 + (at % (whole.length - 16))] = byte;
          if (seal && 12 + whole.readInt32BE(8) === firstEnd) sealed(whole.subarray(0, firstEnd));
          const bytes = Buffer.from(cut % 3 === 0 ? whole.subarray(0, cut % whole.length) : whole);
          try {
            const decoded = decodeRecordBatches(bytes, { ...where, headers: true, checkCrc: !seal });
            outcomes.decoded++;
            assert.ok(decoded.count <= bytes.length * 300);
            for (let row = 0; row < decoded.count; row++) {
              for (const { key, value } of decoded.headers?.[row] ?? [])
                assert.ok(key.length + (value?.length ?? 0) < decoded.values.bytes.length + bytes.length);
              assert.ok(decoded.values.starts[row]! <= decoded.values.ends[row]!);
              assert.ok(decoded.values.ends[row]! < decoded.values.bytes.length);
              assert.ok(decoded.keys.ends[row]! < decoded.keys.bytes.length);
            }
          } catch (error) {
            assert.ok(error instanceof CorruptRecords, String((error as Error).stack));
            outcomes.refused++;
          }
        },
      ),
      { numRuns: 3000, seed },
    );
    assert.ok(outcomes.decoded > 100 && outcomes.refused > 100, JSON.stringify(outcomes));
  });
});
