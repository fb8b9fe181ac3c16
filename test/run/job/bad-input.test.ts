import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test, { before } from "node:test";
import { type Cluster, Producer } from "../../../lib/log/index.ts";
import { byteColumn } from "../../../lib/run/job/samples.ts";
import { connect, jobUnderTest, readAll } from "./support.ts";

let cluster: Cluster;
before(async () => {
  cluster = await connect();
});

const bytes = (text: string) => Buffer.from(text);
const reading = (x: string) => `{"device":"a","timestamp":1700000000000,"x":${x},"y":0,"n":1}`;
const KEY = bytes("a");
const MEGABYTES = 10;
// nothing that would take less room when compressed
const large = randomBytes(MEGABYTES * 0.75e6).toString("base64");

/** What a record holds, its key, its value, and what comes of it: the row's `x`, or why it is none. */
const records: [what: string, key: Buffer | null, value: Buffer | null, outcome: { x: number | null } | RegExp][] = [
  ["a reading", KEY, bytes(reading("2")), { x: 2 }],
  ["cut off", KEY, bytes(reading("2").slice(0, 30)), /./],
  ["not UTF-8", KEY, Buffer.concat([bytes('{"device":"'), Buffer.of(0xff, 0xfe), bytes('","x":1}')]), /UTF-8/],
  [
    "not UTF-8 in a field that nobody uses",
    KEY,
    Buffer.concat([bytes(`${reading("3").slice(0, -1)},"z":"`), Buffer.of(0xff), bytes('"}')]),
    /UTF-8/,
  ],
  ["nested a hundred thousand deep", KEY, bytes(`{"x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`), /./],
  ["a text for a number", KEY, bytes(reading('"fast"')), /^x: /],
  ["an object for a number", KEY, bytes(reading('{"m":1}')), /^x: /],
  ["a number too large for any", KEY, bytes(reading("1e999")), /./],
  ["a null field", KEY, bytes(reading("null")), { x: null }],
  ["a field that is missing", KEY, bytes('{"timestamp":1700000000000,"y":0,"n":1}'), { x: null }],
  ["without its time", KEY, bytes('{"x":1,"y":0,"n":1}'), /timestamp/],
  ["an array", KEY, bytes("[1,2]"), /./],
  ["the word null", KEY, bytes("null"), /./],
  ["nothing between its quotes", KEY, bytes(""), /./],
  ["two values", KEY, bytes(`${reading("1")} ${reading("1")}`), /./],
  ["newlines between and in its fields", KEY, bytes(reading("4").replaceAll(",", ",\n\r\n")), { x: 4 }],
  ["a tombstone", KEY, null, /./],
  ["a null key", null, bytes(reading("5")), { x: 5 }],
  ["a key that is not text", Buffer.of(0xff, 0x00, 0xfe), bytes(reading("6")), /key/],
  [`good, of ${MEGABYTES} MB`, KEY, bytes(`${reading("7").slice(0, -1)},"blob":"${large}"}`), { x: 7 }],
  ["bad, and larger than topics take unless told otherwise", KEY, bytes(`{"x":"${large}${large}"}`), /^x: /],
  ["a reading after all of them", KEY, bytes(reading("8")), { x: 8 }],
];

test("whatever a record holds, it becomes a row or a dead letter that says why", { timeout: 120_000 }, async (t) => {
  const job = await jobUnderTest(cluster, { partitions: 1, plans: "delta" });
  await cluster.deleteTopic(job.input);
  const config = { "retention.ms": "-1", "max.message.bytes": String(4 * MEGABYTES * 2 ** 20) };
  await cluster.createTopic(job.input, { partitions: 1, config });
  const producer = await Producer.create(cluster);
  for (const [, key, value] of records)
    await producer.send(job.input, 0, {
      count: 1,
      keys: byteColumn([key], false),
      values: byteColumn([value], false),
      timestamps: Float64Array.of(Date.now()),
    });
  await producer.flush();
  await producer.close();

  await job.toEnd();

  const rows = await readAll(cluster, `${job.output}-delta`);
  const letters = await readAll(cluster, `${job.name}-dead-letter`);
  const byOffset = new Map(letters.map((letter) => [Number(letter.headers.offset), letter]));
  const good = records.filter(([, , , outcome]) => !(outcome instanceof RegExp));
  assert.deepEqual(
    rows.map(({ value }) => value.x),
    good.map(([, , , outcome]) => (outcome as { x: number | null }).x),
    JSON.stringify(letters.map(({ headers }) => headers)).slice(0, 4000),
  );
  for (const [offset, [what, , value, outcome]] of records.entries()) {
    const letter = byOffset.get(offset);
    if (!(outcome instanceof RegExp)) {
      assert.equal(letter, undefined, what);
      continue;
    }
    t.diagnostic(`${what}: ${letter?.headers.reason?.slice(0, 150)}`);
    assert.ok(letter, `${what}: no dead letter`);
    assert.deepEqual([letter.headers.topic, letter.headers.partition], [job.input, "0"], what);
    assert.match(letter.headers.reason!, outcome, what);
    assert.ok(letter.headers.reason!.length < 1000, `${what}: a reason is short`);
    if (value === null) assert.equal(letter.value, null, what);
    else if (value.length > MEGABYTES * 1e6) assert.ok(letter.value.x === large + large, `${what}: as it came`);
  }
  assert.equal(letters.length, records.length - good.length);
});
