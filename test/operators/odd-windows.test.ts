import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";
import { Dice } from "./fuzz/dice.ts";
import { assertSame } from "./fuzz/equal.ts";
import { oddRows } from "./fuzz/odd-rows.ts";
import { isRefused, outcomeOf } from "./fuzz/outcome.ts";
import { rowVerbs } from "./fuzz/row-programs.ts";
import { windowVerb } from "./fuzz/windows.ts";
import { clocks, runs, seed } from "./random-rows.ts";
import { run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });

test(`windows over odd rows equal Polars over the rows of each, or are refused by name (seed ${seed})`, async () => {
  for (let i = 0; i < runs(25); i++) {
    const dice = new Dice(seed + i);
    const { frame, times } = oddRows(dice, dice.pick([0, 1, 8, 20, 40, 80]));
    const verbs = dice.chance(0.5) ? rowVerbs(dice, 2) : [];
    const windows = windowVerb(dice);
    const splits = Array.from({ length: dice.int(0, 10) }, () => dice.pick([0, 1, 2, dice.int(1, 15)]));
    const what = `seed ${seed + i}: ${[...verbs, windows].map(({ text }) => text).join(" | ")}`;
    const clock = clocks(times.map((t) => ({ t })) as never);
    const watermark = (row: number): number => clock[row] ?? Number.NEGATIVE_INFINITY;

    const wanted = await outcomeOf(() => {
      const rows = verbs.reduce((before, verb) => verb.apply(before), frame);
      const numbers = rows.getColumn("n").toArray() as number[];
      const arrivals = numbers.map((n, place) => ({ place, time: times[n]!, watermark: watermark(n - 1) }));
      return windows.expect(rows, arrivals, watermark(times.length - 1));
    });
    const given = await outcomeOf(async () => {
      const program = windows.apply(verbs.reduce((before, verb) => verb.apply(before), phones));
      return values((await run(program, frame, { splits, reopen: dice.chance(0.3) })).rows);
    });
    if ("error" in wanted) continue;
    if ("error" in given) assert.ok(isRefused(given.error), `${what}: ${given.error.stack}`);
    else
      assertSame(
        inOrder(given.value, wanted.value, windows.keys),
        inOrder(wanted.value, wanted.value, windows.keys),
        what,
      );
  }
});

/** The last row of each key, by key; windows give one only. */
function inOrder(rows: polars.DataFrame, like: polars.DataFrame, keys: readonly string[]): polars.DataFrame {
  const by = [...keys, ...(like.columns.includes("window_end") ? ["window_end"] : [])];
  const rest = like.columns.filter((name) => !by.includes(name));
  const last = rows.groupBy(by).agg(...rest.map((name) => polars.col(name).last()));
  return last.select(...like.columns).sort({ by } as never);
}

test("the sum of a literal is the literal, however the rows of a window came", async () => {
  const frame = phones
    .groupBy("device")
    .agg(pl.lit(2).sum().alias("two"), pl.lit(3).sum().div(pl.len()).alias("share"));
  const test = driver(frame);
  for (const t of [1, 2, 3]) await test.feed([{ device: "a", t }]);
  assert.equal(test.table(), "device  two  share\na         2      3\na         2    1.5\na         2      1");
});
