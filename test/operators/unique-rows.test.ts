import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const subset = ["device", "b"];

/** Row by row: what was given last for these values, and by what clock. */
function oracle(list: readonly Row[], within: number): Row[] {
  const seen = new Map<string, number>();
  let clock = Number.NEGATIVE_INFINITY;
  return list.filter(({ device, b, t }) => {
    clock = Math.max(clock, t);
    const key = JSON.stringify([device, b]);
    if (clock - (seen.get(key) ?? Number.NEGATIVE_INFINITY) < within) return false;
    seen.set(key, clock);
    return true;
  });
}

test(`within a time, rows equal an oracle that goes row by row (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      rows(60),
      splits,
      fc.constantFrom(1, 900, 4000, 30_000),
      fc.boolean(),
      async (list, sizes, within, reopen) => {
        const program = phones.unique({ subset, within: `${within}ms` });
        const actual = await run(program, frameOf(list), { splits: sizes, reopen });
        assertFramesEqual(values(actual.rows), frameOf(oracle(list, within)), "unique");
        const clock = Math.max(...list.map(({ t }) => t));
        const [store] = [...actual.stores.values()].filter(({ spec }) => spec.name.startsWith("unique"));
        for (const [seen] of (await store!.all()).select(pl.col("seen").cast(pl.Float64)).rows())
          assert.ok((seen as number) + within > clock, "what is old is forgotten");
      },
    ),
    { seed, numRuns: runs(10) },
  );
});

test(`without a horizon, rows equal Polars' unique, also after state and filters (seed ${seed})`, async () => {
  const stateful = pl.col("i").cumSum().over("device").modulo(3).alias("m");
  const positive = pl.col("x").gt(0);
  const program = phones
    .withColumns(stateful)
    .filter(positive)
    .unique({ subset: ["device", "m"] });
  await fc.assert(
    fc.asyncProperty(rows(60), splits, fc.boolean(), async (list, sizes, reopen) => {
      const expected = frameOf(list)
        .withColumns(stateful)
        .filter(positive)
        .unique({ subset: ["device", "m"], keep: "first", maintainOrder: true });
      const actual = await run(program, frameOf(list), { splits: sizes, reopen });
      assertFramesEqual(values(actual.rows), expected, "unique");
    }),
    { seed, numRuns: runs(8) },
  );
});
