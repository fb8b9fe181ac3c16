import { test } from "node:test";
import fc from "fast-check";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
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
