import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Answered, isEnough, takeJoined } from "../../lib/log/answers.ts";
import { decodeRecordBatches, encodeRecordBatch } from "../../lib/log/index.ts";
import { columnsOf, numbered, rowsOf } from "./records.ts";

const MIB = 2 ** 20;

function answered(offset: number, records: Buffer, more: Partial<Answered> = {}): Answered {
  const answer = { topic: "t", partition: 0, errorCode: 0, highWatermark: 1e6 + offset, lastStableOffset: 1e6 };
  return {
    offset,
    answer: { ...answer, abortedTransactions: [{ producerId: 1, firstOffset: offset }], records },
    ...more,
  };
}

/** Batches as a broker has them: offsets from `from` on. */
function batch(from: number, count: number): Buffer {
  const { bytes } = encodeRecordBatch(columnsOf(numbered(count, "v", from)));
  bytes.writeBigInt64BE(BigInt(from), 0); // not under the checksum
  return bytes;
}

test("small answers are read as one: their whole batches, with what is known last", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 3 }), fc.nat(30)), {
        minLength: 1,
        maxLength: 5,
      }),
      (answers) => {
        let offset = 0;
        const ready = answers.map(([sizes, cut]) => {
          const start = offset;
          const whole = Buffer.concat(
            sizes.map((size) => {
              const bytes = batch(offset, size);
              offset += size;
              return bytes;
            }),
          );
          // a broker may send the beginning of the next batch
          return answered(start, Buffer.concat([whole, batch(offset, 9).subarray(0, cut * 5)]));
        });
        const end = ready.at(-1)!;
        const taken = takeJoined(ready);
        assert.equal(ready.length, 0);
        const decoded = decodeRecordBatches(taken.answer.records, {
          topic: "t",
          partition: 0,
          fromOffset: taken.offset,
        });
        assert.deepEqual(
          rowsOf(decoded).map(({ value, offset }) => [value, offset]),
          Array.from({ length: offset }, (_, i) => [`v${i}`, i]),
        );
        assert.equal(decoded.nextOffset, offset);
        assert.equal(taken.answer.highWatermark, end.answer.highWatermark);
        assert.equal(taken.answer.abortedTransactions.length, answers.length);
      },
    ),
  );
});

test("what is large, decoded or an error is taken by itself, in order", () => {
  const offsetsOf = (ready: Answered[]) => {
    const taken: number[] = [];
    while (ready.length > 0) taken.push(takeJoined(ready).offset);
    return taken;
  };
  const small = (offset: number, more?: Partial<Answered>) => answered(offset, batch(offset, 1), more);
  assert.deepEqual(offsetsOf([small(0), small(1), small(2)]), [0]);
  assert.deepEqual(offsetsOf([small(0), answered(1, Buffer.alloc(MIB)), small(2)]), [0, 1, 2]);
  assert.deepEqual(offsetsOf([small(0), small(1, { decoding: true }), small(2)]), [0, 1, 2]);
  assert.deepEqual(offsetsOf([small(0), small(1), small(2, { error: new Error("gone") as never })]), [0, 2]);
});

test("more is fetched until as much waits as is given at a time", () => {
  const one = answered(0, Buffer.alloc(MIB));
  assert.deepEqual([isEnough([]), isEnough([one]), isEnough([one, one])], [false, false, true]);
  assert.equal(isEnough(Array.from({ length: 50 }, () => answered(0, Buffer.alloc(100)))), false);
});
