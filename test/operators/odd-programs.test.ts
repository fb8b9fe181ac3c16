import assert from "node:assert/strict";
import { test } from "node:test";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";
import { Dice } from "./fuzz/dice.ts";
import { assertSame } from "./fuzz/equal.ts";
import { oddRows } from "./fuzz/odd-rows.ts";
import { isRefused, outcomeOf } from "./fuzz/outcome.ts";
import { rowVerbs } from "./fuzz/row-programs.ts";
import { runs, seed } from "./random-rows.ts";
import { run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });

test(`chains of verbs over odd rows equal static Polars, or are refused by name (seed ${seed})`, async () => {
  for (let i = 0; i < runs(25); i++) {
    const dice = new Dice(seed + i);
    const { frame } = oddRows(dice, dice.pick([0, 1, 2, 8, 20, 40]));
    const verbs = rowVerbs(dice);
    const splits = Array.from({ length: dice.int(0, 10) }, () => dice.pick([0, 1, 2, dice.int(1, 15)]));
    const what = `seed ${seed + i}: ${verbs.map(({ text }) => text).join(" | ")}`;
    const wanted = await outcomeOf(() => verbs.reduce((before, verb) => verb.apply(before), frame));
    const given = await outcomeOf(() =>
      run(
        verbs.reduce((before, verb) => verb.apply(before), phones),
        frame,
        { splits, reopen: dice.chance(0.3) },
      ),
    );
    // where Polars has nothing to say, neither has the oracle
    if ("error" in wanted) continue;
    if ("error" in given) assert.ok(isRefused(given.error), `${what}: ${given.error.stack}`);
    else assertSame(values(given.value.rows), wanted.value, what);
  }
});

const text = [
  { device: "a", t: 1, s: "αβγ", u: 1 },
  { device: "a", t: 2, s: "x", u: 2 },
];

test("the length of a text is a number to the verbs after it, under a key or not", async () => {
  const run = driver(
    phones
      .withColumns(pl.col("s").str.lengths().alias("n"), pl.col("s").str.lengths().over("device").alias("m"))
      .withColumns(pl.col("n").plus(pl.col("m")).alias("both"))
      .select("both", pl.col("s").str.lengths().cumSum().over("device").alias("sum")),
  );
  await run.feed(text);
  assert.equal(run.table(), "both  sum\n   6    3\n   2    4");
});

test("what Polars only refuses once there is a row is refused when the program is made", async () => {
  const small = { device: "Utf8", t: "Int64", u: "UInt8" };
  const run = driver(phones.withColumns(pl.col("u").clip(-10, 10).over("device")), { schemas: { phones: small } });
  await assert.rejects(run.feed([{ device: "a", t: 1, u: 1 }]), { code: "NOT_VALID_IN_POLARS" });
  const summed = driver(phones.withColumns(pl.col("u").clip(-10, 10).cumSum().over("device")), {
    schemas: { phones: small },
  });
  await assert.rejects(summed.feed([{ device: "a", t: 1, u: 1 }]), { code: "NOT_VALID_IN_POLARS" });
});
