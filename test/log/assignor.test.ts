import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assign, type Member } from "../../lib/log/assignor.ts";
import type { TopicPartition } from "../../lib/log/index.ts";

const member = (
  name: string,
  topics: readonly string[],
  owned: readonly TopicPartition[] = [],
  generation = 1,
): Member => ({
  name,
  topics,
  owned,
  generation,
});
const shown = (partitions: readonly TopicPartition[]) =>
  partitions
    .map(({ topic, partition }) => `${topic}${partition}`)
    .sort()
    .join(" ");
const table = (shares: Map<string, TopicPartition[]>) =>
  Object.fromEntries([...shares].map(([name, share]) => [name, shown(share)]));
const of = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }));

test("partition i of all topics goes to one member", () => {
  const counts = new Map([
    ["a", 3],
    ["b", 3],
  ]);
  assert.deepEqual(table(assign([member("x", ["a", "b"]), member("y", ["a", "b"])], counts)), {
    x: "a0 a2 b0 b2",
    y: "a1 b1",
  });
});

test("what has to move is given to nobody until its owner has let it go", () => {
  const counts = new Map([["a", 4]]);
  const first = assign([member("x", ["a"], of("a", 0, 1, 2, 3)), member("y", ["a"], [], -1)], counts);
  assert.deepEqual(table(first), { x: "a0 a1", y: "" });
  const second = assign([member("x", ["a"], of("a", 0, 1)), member("y", ["a"], [], 2)], counts);
  assert.deepEqual(table(second), { x: "a0 a1", y: "a2 a3" });
});

test("a claim of an earlier generation does not count", () => {
  const counts = new Map([["a", 2]]);
  const shares = assign([member("stale", ["a"], of("a", 0, 1), 3), member("x", ["a"], of("a", 0, 1), 7)], counts);
  assert.deepEqual(table(shares), { stale: "", x: shown(of("a", 0)) });
});

test("members with other topics have their own share", () => {
  const counts = new Map([
    ["a", 2],
    ["b", 2],
  ]);
  assert.deepEqual(table(assign([member("x", ["a"]), member("y", ["a", "b"])], counts)), { x: "a0", y: "a1 b0 b1" });
});

describe("any members and partitions, any start", () => {
  const counts = fc.record({ a: fc.integer({ min: 1, max: 12 }), b: fc.integer({ min: 1, max: 12 }) });
  test("rounds settle on a balanced assignment of everything, each partition with one member at any time", () => {
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 1, max: 6 }),
        (partitions, before, after) => {
          const sizes = new Map(Object.entries(partitions));
          const names = Array.from({ length: Math.max(before, after) }, (_, i) => `m${i}`);
          let owned = new Map<string, TopicPartition[]>();
          const round = (count: number, generation: number) => {
            const members = names
              .slice(0, count)
              .map((name) => member(name, ["a", "b"], owned.get(name) ?? [], generation));
            const shares = assign(members, sizes);
            const all = [...shares.values()].flat();
            assert.equal(new Set(all.map(({ topic, partition }) => `${topic}${partition}`)).size, all.length);
            for (const [name, share] of shares)
              for (const { topic, partition } of share) {
                const held = [...owned].find(([, has]) =>
                  has.some((had) => had.topic === topic && had.partition === partition),
                );
                assert.ok(held === undefined || held[0] === name || !names.slice(0, count).includes(held[0]));
              }
            owned = shares;
          };
          for (let i = 1; i <= 3; i++) round(before, i);
          const kept = owned;
          for (let i = 4; i <= 6; i++) round(after, i);
          const total = partitions.a + partitions.b;
          assert.equal([...owned.values()].flat().length, total);
          const units = [...owned.values()].map((share) => new Set(share.map(({ partition }) => partition)));
          assert.ok(Math.max(...units.map(({ size }) => size)) - Math.min(...units.map(({ size }) => size)) <= 1);
          assert.equal(
            units.reduce((sum, { size }) => sum + size, 0),
            Math.max(partitions.a, partitions.b),
            "co-partitioned",
          );
          if (before === after) assert.deepEqual(table(owned), table(kept), "nothing moves without need");
        },
      ),
      { numRuns: 300 },
    );
  });
});
