import assert from "node:assert/strict";
import { test } from "node:test";
import type { FetchedPartition } from "../../../lib/log/index.ts";
import { Slices } from "../../../lib/run/notebook/slices.ts";
import { columnsOf } from "../../log/records.ts";

/** So many records from an offset on; every third offset is a marker's. */
function answer(partition: number, count: number): FetchedPartition {
  const columns = columnsOf(
    Array.from({ length: count }, (_, i) => ({ key: null, value: `${partition}/${i}`, timestamp: i })),
  );
  const offsets = Float64Array.from({ length: count }, (_, i) => Math.floor(i * 1.5));
  const nextOffset = Math.floor(count * 1.5) + 1;
  return {
    topic: "t",
    partition,
    columns: { ...columns, offsets },
    nextOffset,
    highWatermark: nextOffset,
    lastStableOffset: nextOffset,
  };
}

for (const [what, milliseconds, counts] of [
  ["a fast program takes ever more at a time", 0, (slices: number) => slices < 10],
  ["a slow one takes few", 1, (slices: number) => slices > 5],
] as const)
  test(`${what}; every record once and in order, and reading goes on where a slice ends`, async () => {
    const slices = new Slices();
    slices.add([answer(0, 20_000), answer(1, 0), answer(2, 3)]);
    const seen: number[] = [];
    const next = new Map<number, number>();
    let taken = 0;
    while (!slices.empty && taken < 100) {
      taken++;
      await slices.each(async ({ partition, columns, nextOffset }) => {
        if (columns.count > 0) assert.ok(columns.offsets[0]! >= (next.get(partition) ?? 0));
        if (partition === 0) seen.push(...columns.offsets);
        next.set(partition, nextOffset);
        assert.equal(slices.has("t", partition), partition === 0 && seen.length < 20_000);
        for (const end = performance.now() + columns.count * milliseconds; performance.now() < end; );
      });
      if (milliseconds > 0 && seen.length > 2500) break;
    }
    assert.deepEqual(seen, [...answer(0, seen.length).columns.offsets]);
    if (milliseconds === 0)
      assert.deepEqual(
        [...next],
        [0, 1, 2].map((partition) => [partition, answer(partition, [20_000, 0, 3][partition]!).nextOffset]),
      );
    assert.ok(counts(taken), `${taken} slices`);
  });

for (const milliseconds of [80, 210])
  test(`what a slice takes whatever its size, ${milliseconds} ms, makes slices larger, not smaller`, async () => {
    const slices = new Slices();
    slices.add(Array.from({ length: 30 }, (_, partition) => answer(partition, partition % 2 === 0 ? 6000 : 20)));
    let taken = 0;
    for (; !slices.empty && taken < 80; taken++)
      await slices.each(async ({ columns }) => {
        const end = performance.now() + milliseconds + columns.count * 0.001;
        while (performance.now() < end);
      });
    assert.ok(slices.empty, `${taken} slices were not enough`);
  });
