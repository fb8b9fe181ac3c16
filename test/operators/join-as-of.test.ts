import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { clocks, frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, values } from "./run-program.ts";
import { runTogether } from "./run-together.ts";

const trades = topic("trades", { key: "device", time: "t" }).select("device", "t", "x");
const quotes = topic("quotes", { key: "device", time: "t" }).select("device", "t", "x", "s");

interface Options {
  readonly strategy: "backward" | "forward";
  readonly tolerance: number | undefined;
  readonly history: number;
  readonly grace: number | undefined;
  readonly by: readonly ("device" | "b")[];
}

/** Row by row: the nearest right row among those read before the left row is answered; nothing for a left row that is too late. */
function oracle(
  left: readonly Row[],
  right: readonly Row[],
  order: Readonly<Record<string, readonly number[]>>,
  { strategy, tolerance, history, grace, by }: Options,
): { found: { row: number; match: Row | undefined }[]; late: number } {
  const [leftClocks, rightClocks] = [clocks(left), clocks(right)];
  const end = Math.max(...leftClocks, ...rightClocks);
  const waits = strategy === "forward" || grace !== undefined;
  const wait = (strategy === "forward" ? tolerance! : 0) + (grace ?? 0);
  const found = left.map((row, i) => {
    const answered = Math.max(leftClocks[i]!, row.t + wait);
    if (waits && answered >= end) return undefined; // still waits
    let match: Row | undefined;
    right.forEach((other, j) => {
      if (by.some((key) => row[key] === null || row[key] !== other[key])) return;
      if (waits ? rightClocks[j]! > answered : order.quotes![j]! > order.trades![i]!) return;
      if (strategy === "backward" ? other.t > row.t : other.t < row.t) return;
      if (tolerance !== undefined && Math.abs(other.t - row.t) > tolerance) return;
      const nearer = match === undefined || (strategy === "backward" ? other.t >= match.t : other.t < match.t);
      if (nearer) match = other;
    });
    return { row: i, answered, match: leftClocks[i]! - row.t > history ? undefined : match };
  });
  const given = found.filter((one) => one !== undefined);
  if (waits) given.sort((a, b) => a.answered - b.answered || a.row - b.row);
  return { found: given, late: given.filter(({ row }) => leftClocks[row]! - left[row]!.t > history).length };
}

/** Fewer values of time, so that rows of both sides have the same ones. */
const coarse = (list: readonly Row[]): Row[] => list.map((row) => ({ ...row, t: Math.round(row.t / 500) * 500 }));

for (const strategy of ["backward", "forward"] as const)
  test(`joinAsof ${strategy} gives, in any batches, what going row by row gives (seed ${seed})`, async () => {
    const options = fc.record({
      tolerance: fc.constantFrom(strategy === "forward" ? 1500 : undefined, 0, 800, 4000),
      history: fc.constantFrom(0, 1000, 60_000),
      grace: fc.constantFrom(undefined, undefined, 0, 1000),
      by: fc.constantFrom(["device"] as const, ["device", "b"] as const),
    });
    await fc.assert(
      fc.asyncProperty(rows(50), rows(50), splits, options, fc.boolean(), async (l, r, sizes, given, reopen) => {
        const [left, right] = [coarse(l), coarse(r)];
        const { tolerance, history, grace, by } = given;
        const program = topic("trades", { key: "device", time: "t" }).joinAsof(
          topic("quotes", { key: "device", time: "t" }),
          {
            on: "t",
            by,
            strategy,
            history: `${history}ms`,
            ...(tolerance !== undefined && { tolerance: `${tolerance}ms` }),
            ...(grace !== undefined && { grace: `${grace}ms` }),
          },
        );
        const topics = { trades: { rows: frameOf(left) }, quotes: { rows: frameOf(right) } };
        const actual = await runTogether(program, topics, { splits: sizes, reopen });
        const { found, late } = oracle(left, right, actual.order, { strategy, ...given });
        const matches = frameOf(found.map(({ match }) => match ?? EMPTY));
        const kept = matches.columns.filter((name) => name !== "t" && !(by as readonly string[]).includes(name));
        const expected = frameOf(found.map(({ row }) => left[row]!)).hstack(
          matches.select(...kept.map((name) => pl.col(name).alias(`${name}_right`))) as never,
        ) as unknown as polars.DataFrame;
        assertFramesEqual(values(actual.rows), expected, JSON.stringify(given));
        if (!reopen && sizes.length === 0) assert.equal(actual.task.counts().late, late);
      }),
      { seed, numRuns: runs(12) },
    );
  });

const EMPTY: Row = { device: null, t: 0, x: null, y: null, i: null, j: null, s: null, b: null, d: null };

test(`of rows in order, joinAsof equals Polars' own (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(rows(50), rows(50), splits, async (l, r, sizes) => {
      const [left, right] = [l, r].map((list) => frameOf([...list].sort((a, b) => a.t - b.t))) as [
        polars.DataFrame,
        polars.DataFrame,
      ];
      const program = trades.joinAsof(quotes, { on: "t", by: "device", tolerance: "3s" });
      const topics = { trades: { rows: left }, quotes: { rows: right } };
      const actual = await runTogether(program, topics, { splits: sizes });
      const expected = left.select("device", "t", "x").joinAsof(right.select("device", "t", "x", "s"), {
        on: "t",
        by: "device",
        tolerance: "3s",
        checkSortedness: false,
      });
      assertFramesEqual(values(actual.rows), expected, "as in Polars");
    }),
    { seed, numRuns: runs(15) },
  );
});
