import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const s = pl.col("s");
const list = pl
  .when(x.gt(0))
  .then(s.str.split("-"))
  .otherwise(pl.lit(null as never));
const struct = pl.struct([x.alias("u"), s.str.split("-").alias("ключ")]);
const before = x.shift(2).over("device");

test(`explode equals static Polars, also between stateful verbs (seed ${seed})`, async () => {
  const program = phones
    .withColumns(list.alias("word"), before.alias("before"))
    .explode("word")
    .withColumns(pl.col("word").cumCount().over("device").alias("n"))
    .filter(pl.col("word").neq(pl.lit("b")));
  await fc.assert(
    fc.asyncProperty(rows(40), splits, fc.boolean(), async (records, sizes, reopen) => {
      const frame = frameOf(records);
      const expected = frame
        .withColumns(list.alias("word"), before.alias("before"))
        .explode("word")
        .withColumns(pl.col("word").cumCount().over("device").alias("n"))
        .filter(pl.col("word").neq(pl.lit("b")));
      const actual = await run(program, frame, { splits: sizes, reopen });
      assertFramesEqual(values(actual.rows), expected, "explode");
    }),
    { seed, numRuns: runs(6) },
  );
});

test("several lists are exploded side by side; a record whose lists differ in length is a bad one", async () => {
  const frame = phones
    .withColumns(pl.col("s").str.split(" "), pl.col("u").str.split(" "))
    .explode("s", "u")
    .withColumns(pl.col("s").cumCount().over("device").alias("n"));
  for (const size of [1, 2, 5]) {
    const test = driver(frame.select("s", "u", "n"));
    const records = [
      { device: "a", t: 1, s: "x y", u: "1 2" },
      { device: "a", t: 2, s: "x y", u: "1" },
      { device: "a", t: 3, s: "x", u: "1 2" },
      { device: "a", t: 4, s: null, u: null },
      { device: "a", t: 5, s: "z", u: "3" },
    ];
    for (let at = 0; at < records.length; at += size) await test.feed(records.slice(at, at + size));
    assert.equal(test.table(), "s  u  n\nx  1  1\ny  2  2\n-  -  2\nz  3  3");
    assert.deepEqual(
      test.bad.map(({ offset }) => offset),
      [1, 2],
    );
  }
  assert.match(frame.explain(), /explode s, u/);
});

test(`unnest equals static Polars, also of structs kept as state (seed ${seed})`, async () => {
  const program = phones
    .withColumns(struct.alias("st"))
    .withColumns(pl.col("st").shift(2).over("device").alias("st"), before.alias("before"))
    .unnest("st")
    .select("device", "ключ", "before", "u");
  await fc.assert(
    fc.asyncProperty(rows(40), splits, fc.boolean(), async (records, sizes, reopen) => {
      const frame = frameOf(records);
      const expected = frame
        .withColumns(struct.alias("st"))
        .withColumns(pl.col("st").shift(2).over("device").alias("st"), before.alias("before"))
        .unnest("st")
        .select("device", "ключ", "before", "u");
      const actual = await run(program, frame, { splits: sizes, reopen });
      assertFramesEqual(values(actual.rows), expected, "unnest");
    }),
    { seed, numRuns: runs(6) },
  );
});
