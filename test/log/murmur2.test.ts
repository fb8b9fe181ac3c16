import assert from "node:assert/strict";
import { test } from "node:test";
import { murmur2, partitionByKey } from "../../lib/log/index.ts";
import { columnsOf, rowsOf } from "./records.ts";

// computed by org.apache.kafka.common.utils.Utils.murmur2, as in Kafka's own UtilsTest
const JAVA: readonly (readonly [string, number])[] = [
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
];

for (const [key, hash] of JAVA)
  test(`murmur2("${key}") is what Java computes`, () => assert.equal(murmur2(Buffer.from(key)), hash));

test("records are split by key in order, keyless ones stay together and take turns", () => {
  const records = ["21", "foobar", null, "abc", "21", null].map((key, i) => ({ key, value: `${i}`, timestamp: i }));
  const parts = partitionByKey(columnsOf(records), 4).map((part) =>
    rowsOf(part).map(({ key, value }) => `${key}:${value}`),
  );
  const at = (hash: number) => parts[(hash & 0x7fffffff) % 4]!;
  assert.deepEqual(
    at(-973932308).filter((row) => row.startsWith("21")),
    ["21:0", "21:4"],
  );
  assert.ok(at(-790332482).includes("foobar:1"));
  assert.ok(at(479470107).includes("abc:3"));
  assert.equal(parts.flat().length, 6);
  assert.equal(parts.filter((part) => part.some((row) => row.startsWith("null"))).length, 1);
});
