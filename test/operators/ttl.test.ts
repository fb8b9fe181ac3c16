import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const TTL = fc.constantFrom(1, 700, 2500, 9000);

/** The number of the life of its key that each row is in: a key lives on while the clock goes less than the ttl between its rows. */
function lives(list: readonly Row[], ttl: number): number[] {
  const last = new Map<string | null, { clock: number; life: number }>();
  let clock = Number.NEGATIVE_INFINITY;
  return list.map(({ device, t }) => {
    clock = Math.max(clock, t);
    const before = last.get(device);
    const life = before === undefined ? 0 : clock - before.clock >= ttl ? before.life + 1 : before.life;
    last.set(device, { clock, life });
    return life;
  });
}

const withLives = (list: readonly Row[], ttl: number): polars.DataFrame =>
  frameOf(list).hstack([
    polars.Series("life", lives(list, ttl), polars.Float64),
  ] as never) as unknown as polars.DataFrame;

/** Each with the keys it is over. */
const STATE: readonly ((keys: readonly [string, ...string[]]) => polars.Expr)[] = [
  (keys) =>
    x
      .shift(1)
      .over(...keys)
      .alias("shift"),
  (keys) =>
    x
      .diff(3, "ignore")
      .over(...keys)
      .alias("diff"),
  (keys) =>
    pl
      .col("i")
      .cumSum()
      .over(...keys)
      .alias("cumSum"),
  (keys) =>
    x
      .cumCount()
      .over(...keys)
      .alias("cumCount"),
  (keys) =>
    x
      .forwardFill()
      .over(...keys)
      .alias("fill"),
  (keys) =>
    x
      .rollingMax({ windowSize: 4, minPeriods: 1 } as never)
      .over(...keys)
      .alias("rolling"),
];

test(`state per key starts anew after its ttl, as Polars over the lives of keys (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(70), splits, TTL, fc.boolean(), async (list, sizes, ttl, reopen) => {
      const program = phones.withColumns(...STATE.map((expr) => expr(["device"])), { ttl: `${ttl}ms` });
      const actual = await run(program, frameOf(list), { splits: sizes, reopen });
      const expected = withLives(list, ttl)
        .withColumns(...STATE.map((expr) => expr(["device", "life"])))
        .drop("life");
      assertFramesEqual(values(actual.rows), expected, "state");
      const clock = Math.max(...list.map(({ t }) => t));
      for (const [name, store] of actual.stores)
        if (name !== "watermark" && store.size > 0)
          for (const seen of (await store.all()).getColumn("seen").cast(pl.Float64).toArray())
            assert.ok(Number(seen) + ttl > clock, `${name} forgets`);
    }),
    { seed, numRuns: runs(12) },
  );
});

test(`groups start anew after their ttl: the last row per key covers its last life (seed ${seed})`, async () => {
  const aggs = [x.sum().alias("sum"), pl.len().alias("n"), pl.col("s").first().alias("first"), x.std().alias("std")];
  await fc.assert(
    fc.asyncProperty(rows(60), splits, TTL, fc.boolean(), async (list, sizes, ttl, reopen) => {
      const program = phones.groupBy("device", { ttl: `${ttl}ms` }).agg(...aggs);
      const actual = await run(program, frameOf(list), { splits: sizes, reopen });
      const last = values(actual.rows)
        .groupBy("device")
        .agg(...["sum", "n", "first", "std"].map((name) => polars.col(name).last()))
        .sort("device");
      const expected = withLives(list, ttl)
        .filter(polars.col("life").eq(polars.col("life").max().over("device")))
        .groupBy("device")
        .agg(...aggs)
        .sort("device");
      assertFramesEqual(last, expected, "groups");
    }),
    { seed, numRuns: runs(8) },
  );
});

test(`unique gives the first row of each life (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, TTL, fc.boolean(), async (list, sizes, ttl, reopen) => {
      const program = phones.unique({ subset: "device", ttl: `${ttl}ms` });
      const actual = await run(program, frameOf(list), { splits: sizes, reopen });
      const expected = withLives(list, ttl)
        .unique({ subset: ["device", "life"], keep: "first", maintainOrder: true })
        .drop("life");
      assertFramesEqual(values(actual.rows), expected, "unique");
    }),
    { seed, numRuns: runs(8) },
  );
});

test("a ttl without state is refused; explain says when keys are forgotten", () => {
  assert.match(
    phones.filter(x.gt(x.shift(1).over("device")), { ttl: "1h" }).explain(),
    /state: one row per key .* a key is forgotten 1h of event time after its last row/,
  );
  assert.match(
    phones.groupBy("device", { ttl: "1d" }).agg(pl.len()).explain(),
    /had a row in the last 1d of event time/,
  );
  assert.match(phones.unique({ subset: "device", ttl: "1m" }).explain(), /seen in the last 1m of event time/);
  assert.throws(() => phones.groupBy("device", { horizon: "1h" } as never), /BAD_OPTION|no option/);
});
