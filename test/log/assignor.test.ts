import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { assign, type Member } from "../../lib/log/assignor.ts";
import type { Assignment } from "../../lib/log/group-protocol.ts";
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
const partitionsOf = (shares: Map<string, Assignment>): Map<string, TopicPartition[]> =>
  new Map([...shares].map(([name, { partitions }]) => [name, [...partitions]]));
const table = (shares: Map<string, Assignment>) =>
  Object.fromEntries([...shares].map(([name, { partitions }]) => [name, shown(partitions)]));
const standbys = (shares: Map<string, Assignment>) =>
  Object.fromEntries([...shares].map(([name, { standby, next }]) => [name, [standby.join(), next.join()]]));
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

const keeper = (name: string, owned: readonly TopicPartition[], generation: number, warm: number[] = []): Member => ({
  ...member(name, ["a"], owned, generation),
  replicas: 1,
  warm,
});

test("with standbys a partition stays where it is until its next owner has a copy of its state", () => {
  const counts = new Map([["a", 2]]);
  const joined = assign([keeper("x", of("a", 0, 1), 1), keeper("y", [], -1)], counts);
  assert.deepEqual(table(joined), { x: "a0 a1", y: "" });
  assert.deepEqual(standbys(joined), { x: ["", ""], y: ["0,1", "1"] });
  const warm = assign([keeper("x", of("a", 0, 1), 2), keeper("y", [], 2, [0, 1])], counts);
  assert.deepEqual(table(warm), { x: "a0", y: "" });
  assert.deepEqual(standbys(warm), { x: ["1", ""], y: ["0,1", ""] }, "the former owner keeps what it has");
  const moved = assign([keeper("x", of("a", 0), 3, [1]), keeper("y", [], 3, [0, 1])], counts);
  assert.deepEqual(table(moved), { x: "a0", y: "a1" });
  assert.deepEqual(standbys(moved), { x: ["1", ""], y: ["0", ""] });
});

test("partitions of a member that is gone go to those that have copies of their state", () => {
  const left = [keeper("x", of("a", 0), 5, [4, 5]), keeper("y", of("a", 1), 5, [2, 3])];
  const shares = assign(left, new Map([["a", 6]]));
  assert.deepEqual(table(shares), { x: "a0 a4 a5", y: "a1 a2 a3" });
});

test("any members that keep standbys settle: balanced, each partition with one reader and its copies elsewhere", () => {
  const sizes = fc.record({ partitions: fc.integer({ min: 1, max: 12 }), replicas: fc.integer({ min: 1, max: 3 }) });
  const workers = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sizes, workers, ({ partitions, replicas }, counts) => {
      let shares = new Map<string, Assignment>();
      let generation = 0;
      for (const count of counts) {
        // a copy is up to date one round after it was asked for, and every round that changes something is followed by another
        for (let round = 0; round < 12; round++) {
          generation++;
          const members = Array.from({ length: count }, (_, i) => {
            const had = shares.get(`m${i}`) ?? { partitions: [], standby: [], next: [] };
            return { ...keeper(`m${i}`, had.partitions, generation, [...had.standby]), replicas };
          });
          const before = shares;
          shares = assign(members, new Map([["a", partitions]]));
          const read = [...shares.values()].flatMap((share) => share.partitions.map(({ partition }) => partition));
          assert.equal(new Set(read).size, read.length, "one reader");
          for (const [name, share] of shares)
            for (const { partition } of share.partitions) {
              assert.ok(!share.standby.includes(partition));
              const owner = [...before].find(([, had]) =>
                had.partitions.some((one) => one.partition === partition),
              )?.[0];
              const moved = owner !== undefined && owner !== name && shares.has(owner);
              assert.ok(!moved, "its owner has let it go first");
            }
        }
        const sharesOf = [...shares.values()];
        const owned = sharesOf.map((share) => share.partitions.length);
        assert.equal(
          owned.reduce((sum, n) => sum + n, 0),
          partitions,
        );
        assert.ok(Math.max(...owned) - Math.min(...owned) <= 1, `balanced: ${owned}`);
        const copies = Math.min(replicas, count - 1);
        for (let partition = 0; partition < partitions; partition++)
          assert.equal(sharesOf.filter(({ standby }) => standby.includes(partition)).length, copies);
        assert.ok(
          sharesOf.every(({ next }) => next.length === 0),
          "nothing is left to move",
        );
        const kept = sharesOf.map(({ standby }) => standby.length);
        assert.ok(Math.max(...kept) - Math.min(...kept) <= 2, `copies are spread: ${kept}`);
      }
    }),
    { numRuns: 200 },
  );
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
            const shares = partitionsOf(assign(members, sizes));
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
          if (before === after) assert.deepEqual(owned, kept, "nothing moves without need");
        },
      ),
      { numRuns: 300 },
    );
  });
});
