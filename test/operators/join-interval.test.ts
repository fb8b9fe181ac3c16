import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import type { JoinHow } from "../../lib/plan/join-how.ts";
import { pl } from "../../lib/plan/pl.ts";
import { clocks, frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, values } from "./run-program.ts";
import { runTogether } from "./run-together.ts";

const orders = topic("orders", { key: "device", time: "t" });
const payments = topic("payments", { key: "device", time: "t" });

interface Span {
  readonly before: number;
  readonly after: number;
  readonly grace: number;
}

const text = (ms: number): string => `${ms}ms`;
const program = (how: JoinHow, { before, after, grace }: Span, coalesce = false) =>
  orders.join(payments, {
    on: ["device", "b"],
    how,
    within: { before: text(before), after: text(after) },
    grace: text(grace),
    ...(how === "full" && { coalesce }),
  });

/** Row by row: pairs at the later row, if the earlier one was not given up by then; rows without a pair once they are given up. */
function oracle(
  left: readonly Row[],
  right: readonly Row[],
  order: Readonly<Record<string, readonly number[]>>,
  { before, after, grace }: Span,
): [Row | undefined, Row | undefined][] {
  const [leftClocks, rightClocks] = [clocks(left), clocks(right)];
  const end = Math.max(...leftClocks, ...rightClocks);
  const given: { at: number[]; pair: [Row | undefined, Row | undefined] }[] = [];
  const met = [new Set<number>(), new Set<number>()];
  left.forEach((l, i) => {
    right.forEach((r, j) => {
      if (l.device === null || l.b === null || l.device !== r.device || l.b !== r.b) return;
      if (r.t < l.t - before || r.t > l.t + after) return;
      const rightLater = order.payments![j]! > order.orders![i]!;
      const clock = rightLater ? rightClocks[j]! : leftClocks[i]!;
      if (clock > (rightLater ? l.t + after : r.t + before) + grace) return;
      met[0]!.add(i);
      met[1]!.add(j);
      const place = Math.max(order.payments![j]!, order.orders![i]!);
      given.push({ at: [clock, 0, place, rightLater ? i : j], pair: [l, r] });
    });
  });
  const alone = (list: readonly Row[], own: readonly number[], places: readonly number[], span: number, side: number) =>
    list.forEach((row, i) => {
      const past = row.t + span + grace;
      if (met[side]!.has(i) || Math.max(past, own[i]!) > end || (past >= own[i]! && past >= end)) return;
      const at = past >= own[i]! ? [past, 1, side, i] : [own[i]!, 0, places[i]!, 0];
      given.push({ at, pair: side === 0 ? [row, undefined] : [undefined, row] });
    });
  alone(left, leftClocks, order.orders!, after, 0);
  alone(right, rightClocks, order.payments!, before, 1);
  const compare = (a: number[], b: number[]): number => {
    const i = a.findIndex((value, place) => value !== b[place]);
    return i < 0 ? 0 : a[i]! - b[i]!;
  };
  return given.sort((a, b) => compare(a.at, b.at)).map(({ pair }) => pair);
}

const EMPTY: Row = { device: null, t: 0, x: null, y: null, i: null, j: null, s: null, b: null, d: null };
const coarse = (list: readonly Row[]): Row[] => list.map((row) => ({ ...row, t: Math.round(row.t / 250) * 250 }));

/** Both sides beside each other, all columns of the right with the suffix. */
function beside(pairs: readonly [Row | undefined, Row | undefined][]): polars.DataFrame {
  const nullTime = (frame: polars.DataFrame, missing: boolean[]): polars.DataFrame => {
    const gone = polars.Series("gone", missing, polars.Bool);
    return (frame.hstack([gone] as never) as unknown as polars.DataFrame)
      .withColumns(polars.when(polars.col("gone")).then(polars.lit(null)).otherwise(polars.col("t")).alias("t"))
      .drop("gone");
  };
  const left = nullTime(
    frameOf(pairs.map(([l]) => l ?? EMPTY)),
    pairs.map(([l]) => l === undefined),
  );
  const right = nullTime(
    frameOf(pairs.map(([, r]) => r ?? EMPTY)),
    pairs.map(([, r]) => r === undefined),
  );
  return left.hstack(
    right.select(...right.columns.map((name) => pl.col(name).alias(`${name}_right`))) as never,
  ) as unknown as polars.DataFrame;
}

const KEYS = ["device", "b"];
const spans = fc.record({
  before: fc.constantFrom(0, 500, 3000),
  after: fc.constantFrom(0, 750, 2500),
  grace: fc.constantFrom(0, 0, 1500),
});

for (const how of ["inner", "left", "right", "full", "semi", "anti"] as const)
  test(`join ${how} within a time gives, in any batches, what going row by row gives (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(rows(40), rows(40), splits, spans, fc.boolean(), async (l, r, sizes, span, reopen) => {
        const [left, right] = [coarse(l), coarse(r)];
        const topics = { orders: { rows: frameOf(left) }, payments: { rows: frameOf(right) } };
        const actual = await runTogether(program(how, span), topics, { splits: sizes, reopen });
        const all = oracle(left, right, actual.order, span);
        const pairs = all.filter(([a, b]) => {
          if (how === "anti") return a !== undefined && b === undefined;
          return (
            (a !== undefined || how === "right" || how === "full") &&
            (b !== undefined || how === "left" || how === "full")
          );
        });
        const seen = new Set<Row>();
        const first = how === "semi" ? pairs.filter(([a]) => !seen.has(a!) && seen.add(a!)) : pairs;
        const expected = beside(first);
        const left_ = Object.keys(frameOf([]));
        const columns = {
          inner: [...left_, ...left_.filter((name) => !KEYS.includes(name)).map((name) => `${name}_right`)],
          left: [...left_, ...left_.filter((name) => !KEYS.includes(name)).map((name) => `${name}_right`)],
          semi: left_,
          anti: left_,
          full: expected.columns,
          right: [],
        }[how];
        const wanted =
          how === "right"
            ? expected.select(
                ...left_.filter((name) => !KEYS.includes(name)).map((name) => pl.col(name)),
                ...left_.map((name) =>
                  KEYS.includes(name) ? pl.col(`${name}_right`).alias(name) : pl.col(`${name}_right`),
                ),
              )
            : expected.select(...columns);
        assertFramesEqual(values(actual.rows), wanted, `${how} ${JSON.stringify(span)}`);
      }),
      { seed, numRuns: runs(10) },
    );
  });

test(`with enough grace, all rows of a join equal Polars' own, whatever their order (seed ${seed})`, async () => {
  const span = { before: 1000, after: 2000, grace: 1_000_000 };
  await fc.assert(
    fc.asyncProperty(rows(40), rows(40), splits, async (l, r, sizes) => {
      const [left, right] = [frameOf(l), frameOf(r)];
      const actual = await runTogether(
        program("inner", span),
        { orders: { rows: left }, payments: { rows: right } },
        { splits: sizes },
      );
      const between = pl.col("t_right").cast(pl.Int64).minus(pl.col("t").cast(pl.Int64));
      const expected = (left.join(right, { on: KEYS }) as polars.DataFrame).filter(
        between.gtEq(pl.lit(-1000)).and(between.ltEq(pl.lit(2000))),
      );
      const by = ["device", "b", "t", "t_right", "x", "x_right", "i", "i_right", "s", "s_right"];
      assertFramesEqual(values(actual.rows).sort(by), expected.sort(by), "as in Polars");
      for (const [name, store] of actual.stores)
        if (name.startsWith("join")) assert.ok(store.size <= Math.max(left.height, right.height));
    }),
    { seed, numRuns: runs(10) },
  );
});

test("state is dropped when the watermark has passed what it is for; rows out of order are counted", async () => {
  const at = (t: number, x: number): Row => ({ ...EMPTY, device: "a", b: true, t, x });
  const left = [at(0, 1), at(10_000, 2), at(5000, 3)];
  const right = [at(100, 4), at(20_000, 5)];
  const topics = { orders: { rows: frameOf(left) }, payments: { rows: frameOf(right) } };
  const { rows, stores, task } = await runTogether(program("left", { before: 0, after: 500, grace: 0 }), topics);
  assert.deepEqual(rows.select("x", "x_right").rows(), [
    [1, 4],
    [3, null],
    [2, null],
  ]);
  const sizes = [...stores].filter(([name]) => name.startsWith("join")).map(([name, store]) => [name, store.size]);
  assert.deepEqual(Object.fromEntries(sizes), { join_by_device_b_left: 0, join_by_device_b_right: 1 });
  assert.equal(task.counts().late, 1);
});
