import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import path from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { DecodeThread } from "../../lib/log/decode-thread.ts";
import {
  COMPRESSIONS,
  CorruptRecords,
  decodeRecordBatches,
  encodeRecordBatch,
  Fetcher,
  Producer,
} from "../../lib/log/index.ts";
import { until } from "../support/until.ts";
import { columnsOf, numbered, rowsOf } from "./records.ts";
import { connect, newTopic, read } from "./with-cluster.ts";

const text = fc.option(fc.string({ unit: "binary", maxLength: 300 }));
const record = fc.record({
  key: text,
  value: text,
  timestamp: fc.integer({ min: 1.7e12, max: 1.7e12 + 2000 }),
  headers: fc.option(
    fc.dictionary(fc.string({ maxLength: 20 }), text, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    { nil: undefined },
  ),
});

test("batches decoded in the thread are what they are when decoded here", async () => {
  const thread = DecodeThread.shared()!;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(record, { minLength: 1, maxLength: 40 }), { maxLength: 4 }),
      fc.constantFrom(...COMPRESSIONS),
      fc.record({ headers: fc.boolean(), newlines: fc.constantFrom("keep" as const, "space" as const) }),
      async (batches, compression, options) => {
        const bytes = Buffer.concat(batches.map((one) => encodeRecordBatch(columnsOf(one), { compression }).bytes));
        const before = Buffer.from(bytes);
        const [beside, here] = [await thread.decode(bytes, options), decodeRecordBatches(Buffer.from(bytes), options)];
        assert.deepEqual(rowsOf(beside), rowsOf(here));
        assert.equal(beside.nextOffset, here.nextOffset);
        assert.equal(beside.headers?.length, here.headers?.length);
        assert.ok(beside.keys.bytes instanceof Buffer && beside.values.bytes instanceof Buffer);
        assert.ok(bytes.equals(before), "the bytes are a copy");
      },
    ),
    { numRuns: 100 },
  );
});

test("damaged records are the same error, and the thread goes on", async () => {
  const thread = DecodeThread.shared()!;
  const { bytes } = encodeRecordBatch(columnsOf(numbered(100)));
  bytes[bytes.length - 1]! ^= 1;
  const where = { topic: "t", partition: 3 };
  const here = (() => {
    try {
      decodeRecordBatches(Buffer.from(bytes), where);
    } catch (error) {
      return error as CorruptRecords;
    }
    return undefined;
  })();
  assert.ok(here !== undefined);
  await assert.rejects(thread.decode(bytes, where), (error) => {
    assert.ok(error instanceof CorruptRecords);
    assert.equal(error.message, here.message);
    return true;
  });
  const good = encodeRecordBatch(columnsOf(numbered(100))).bytes;
  assert.equal((await thread.decode(good, where)).count, 100);
});

test("the thread does not keep its process", () => {
  const lib = path.resolve(import.meta.dirname, "../../lib/log");
  const script = `
    const { DecodeThread } = await import(${JSON.stringify(`${lib}/decode-thread.ts`)});
    const hold = setTimeout(() => {}, 30_000); // as poll does while it waits
    const { count } = await DecodeThread.shared().decode(new Uint8Array(0), {});
    clearTimeout(hold);
    console.log("decoded", count);`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
    timeout: 20_000,
  });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /decoded 0/);
});

test("a fetcher that has much to decode reads the same rows in the same order, also when its thread ends", async (t) => {
  const cluster = await connect();
  const topic = await newTopic(cluster, "beside", 3);
  const producer = await Producer.create(cluster, { maxBatchBytes: 3000 });
  for (const partition of [0, 1, 2]) await producer.send(topic, partition, columnsOf(numbered(4000, `p${partition}-`)));
  await producer.flush();
  await producer.close();
  const all = async (options: { threadAfter: number }) => {
    const fetcher = new Fetcher(cluster, { partitionMaxBytes: 4000, threadFrom: 0, ...options });
    for (const partition of [0, 1, 2]) fetcher.assign(topic, partition, 0);
    const rows = await read(fetcher, 12_000);
    await fetcher.close();
    return [0, 1, 2].map((partition) => rows.filter((row) => row.partition === partition));
  };
  const decode = t.mock.method(DecodeThread.prototype, "decode");
  const here = await all({ threadAfter: Number.POSITIVE_INFINITY });
  assert.equal(decode.mock.callCount(), 0);
  assert.deepEqual(await all({ threadAfter: 0 }), here, "a thread may just start");
  await until("the thread has started", () => DecodeThread.shared()?.ready === true);
  assert.deepEqual(await all({ threadAfter: 0 }), here);
  assert.ok(decode.mock.callCount() > 0);
  assert.deepEqual(await all({ threadAfter: 20_000 }), here);
  const reading = all({ threadAfter: 0 });
  setTimeout(() => DecodeThread.shared()?.close(), 30);
  assert.deepEqual(await reading, here);
  await until("the thread has ended", () => DecodeThread.shared() === undefined);
  assert.deepEqual(await all({ threadAfter: 0 }), here);
});
