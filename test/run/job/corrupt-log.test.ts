import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import path from "node:path";
import test from "node:test";
import { describeLogDirsV4 } from "@platformatic/kafka";
import { crc32c } from "../../../lib/log/checksum.ts";
import type { Cluster } from "../../../lib/log/index.ts";
import { ATTRIBUTES_AT, COMPRESSION_MASK, CRC_AT, LENGTH_PREFIX } from "../../../lib/log/record-batch.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { assertSameRows, expectedRows, rowsOf } from "./expected.ts";
import { connect, jobUnderTest, phones, produce, readAll } from "./support.ts";

/** The file in which the broker keeps a partition, as the broker tells. */
async function segmentOf(cluster: Cluster, topic: string, partition: number): Promise<string> {
  const broker = await cluster.anyBroker();
  const { results } = await broker.request(describeLogDirsV4.api, [{ name: topic, partitions: [partition] }]);
  const found = results.find(({ topics }) => topics.length > 0);
  assert.ok(found, "the broker is on this machine");
  return path.join(found.logDir, `${topic}-${partition}`, "00000000000000000000.log");
}

interface Batch {
  readonly at: number;
  readonly end: number;
  readonly baseOffset: number;
}

function batchesOf(bytes: Buffer): Batch[] {
  const batches: Batch[] = [];
  for (let at = 0; at + LENGTH_PREFIX <= bytes.length; ) {
    const end = at + LENGTH_PREFIX + bytes.readInt32BE(at + 8);
    batches.push({ at, end, baseOffset: Number(bytes.readBigInt64BE(at)) });
    at = end;
  }
  return batches;
}

const damages: readonly [string, (bytes: Buffer, batch: Batch) => void, RegExp][] = [
  [
    "a flipped bit in its records",
    (bytes, { end }) => {
      bytes[end - 20]! ^= 1;
    },
    /The checksum of a record batch is wrong/,
  ],
  [
    "a compression that is not known, its checksum right",
    (bytes, { at, end }) => {
      bytes[at + ATTRIBUTES_AT + 1]! |= COMPRESSION_MASK;
      bytes.writeUInt32BE(crc32c(bytes, at + ATTRIBUTES_AT, end), at + CRC_AT);
    },
    /compressed in a way that is not known \(7\); there are .*zstd \(4\)/,
  ],
];

test("a batch that is damaged in the broker's log stops the job, naming it; once it is mended nothing is missing", {
  timeout: 120_000,
}, async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const cluster = await connect();
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "delta" });
  for (let part = 0; part < 3; part++)
    await produce(cluster, job.input, phones(50, 5, random, 1_700_000_000_000 + part * 1000, part * 50));
  const segment = await segmentOf(cluster, job.input, 0);
  const whole = await readFile(segment);
  const batch = batchesOf(whole).find(({ baseOffset }) => baseOffset === 50)!;

  /** Into the broker's own file, while it has it open: what it answers next comes from there. */
  const put = async (bytes: Buffer) => {
    const file = await open(segment, "r+");
    await file.write(bytes, batch.at, batch.end - batch.at, batch.at);
    await file.close();
  };
  for (const [what, damage, says] of damages) {
    const damaged = Buffer.from(whole);
    damage(damaged, batch);
    await put(damaged);
    const { code, stderr } = await (await job.start(["--until", "end"])).ended;
    assert.equal(code, 1, `${what}: ${stderr}`);
    assert.match(stderr, says, what);
    assert.match(stderr, new RegExp(`where: topic ${job.input}, partition 0, batch at offset 50\n`), what);
    assert.match(stderr, /what to do/, what);
    assert.doesNotMatch(stderr, /back to the last checkpoint|\n {4}at /, `${what}: trying again does not help`);
  }

  await put(whole);
  await job.toEnd();
  const input = await readAll(cluster, job.input);
  assert.equal(input.length, 150);
  assertSameRows(rowsOf(await readAll(cluster, `${job.output}-delta`)), expectedRows(input).delta, "delta");
  assert.deepEqual(await readAll(cluster, `${job.name}-dead-letter`), []);
});
