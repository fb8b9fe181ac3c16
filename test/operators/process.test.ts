import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import type { BadRow, Task } from "../../lib/operators/task.ts";
import { pl } from "../../lib/plan/pl.ts";
import { schemaOf } from "../../lib/schema.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { asSource, assertFramesEqual, compileFrame, memoryStores, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });

test(`state per key equals look-back in Polars, however rows are split, over restarts (seed ${seed})`, async () => {
  const frame = phones.process({
    by: "device",
    state: { last: null as number | null, sum: 0 },
    schema: { t: "Datetime(ms)", delta: "Float64", count: "Int64" },
    onRow: (row, ctx) => {
      const { last } = ctx.state;
      ctx.state.sum += 1;
      ctx.emit({ t: row.t, delta: row.x === null || last === null ? null : row.x - last, count: ctx.state.sum });
      ctx.state.last = row.x;
    },
  });
  await fc.assert(
    fc.asyncProperty(rows(40), splits, fc.boolean(), async (list, sizes, reopen) => {
      const input = frameOf(list);
      const expected = input.select(
        polars.col("device"),
        polars.col("t"),
        polars.col("x").diff(1, "ignore").over("device").alias("delta"),
        polars.lit(1).cast(polars.Int64).alias("one"),
      );
      const counted = expected.select(
        polars.col("device"),
        polars.col("t"),
        polars.col("delta"),
        polars.col("t").isNotNull().cast(polars.Int64).cumSum().over("device").alias("count"),
      );
      assertFramesEqual(values((await run(frame, input, { splits: sizes, reopen })).rows), counted);
    }),
    { seed, numRuns: runs(15) },
  );
});

/** The rows of each key, in order. */
function perKey(frame: polars.DataFrame): Record<string, unknown[]> {
  const keys: Record<string, unknown[]> = {};
  for (const row of values(frame).toRecords() as any[]) {
    keys[row.device] ??= [];
    keys[row.device]!.push(row);
  }
  return keys;
}

/** Sessions by hand: a timer closes a session 1 s after its last row; throws for some rows; forgets after 4 s. */
const sessions = phones.process({
  by: "device",
  ttl: "4s",
  state: () => ({ n: 0, seen: new Map<string, number>(), since: new Date(0) }),
  schema: { what: "Utf8", n: "Int64", at: "Int64", since: "Int64" },
  onRow: (row, ctx) => {
    const { state } = ctx;
    if (state.n === 0) state.since = ctx.time;
    state.n++;
    state.seen.set(row.s ?? "", (state.seen.get(row.s ?? "") ?? 0) + 1);
    ctx.timer(row.t.getTime() + 1000);
    if (row.i !== null && row.i % 3 === 0) ctx.timer(row.t.getTime() + 300, "soon");
    if (row.i !== null && row.i % 5 === 0) ctx.clearTimer("soon");
    if (row.b) ctx.emit({ what: "row", n: state.n, at: ctx.time.getTime(), since: state.since.getTime() });
    if (row.j !== null && row.j % 7 === 0) throw new Error(`j is ${row.j}`);
  },
  onTimer: ({ name, time }, ctx) => {
    const { n, seen, since } = ctx.state;
    ctx.emit({ what: `${name}:${seen.size}`, n, at: time.getTime(), since: since.getTime() });
    if (name === "" && n > 0) {
      ctx.clear();
      ctx.timer(time.getTime() + 700, "after");
    }
  },
});

test(`timers fire in time order between the rows, however rows are split, over restarts (seed ${seed})`, async () => {
  let timers = 0;
  await fc.assert(
    fc.asyncProperty(rows(50), splits, fc.boolean(), async (list, sizes, reopen) => {
      const input = frameOf(list);
      const whole = await run(sessions, input);
      const split = await run(sessions, input, { splits: sizes, reopen });
      assert.deepEqual(perKey(split.rows), perKey(whole.rows));
      const kept = (stores: typeof split.stores) => [...stores.values()].map((store) => store.size);
      assert.deepEqual(kept(split.stores), kept(whole.stores));
      for (const events of Object.values(perKey(whole.rows)) as any[][]) {
        const fired = events.filter(({ what }) => what !== "row");
        timers += fired.length;
        assert.deepEqual(
          fired.map(({ at }) => at),
          fired.map(({ at }) => at).sort((a, b) => a - b),
        );
      }
    }),
    { seed, numRuns: runs(25) },
  );
  assert.ok(timers > 20, `${timers} timers fired`);
});

const row = (device: string, t: number, i = 1): Row => ({ device, t, x: 0, y: 0, i, j: 1, s: "", b: true, d: 0 });

test("a timer fires once the watermark has reached it, with its own time; one in the past at once", async () => {
  const frame = phones.process({
    by: "device",
    state: 0,
    schema: { what: "Utf8" },
    onRow: (row, ctx) => {
      ctx.state++;
      ctx.emit({ what: `row ${ctx.state} at ${row.t.getTime()}` });
      ctx.timer(1500);
    },
    onTimer: ({ time }, ctx) => ctx.emit({ what: `timer ${ctx.state} at ${time.getTime()}` }),
  });
  const input = frameOf([row("a", 1000), row("b", 1400), row("b", 2000), row("a", 2100), row("a", 1200)]);
  const { rows: made } = await run(frame, input);
  assert.deepEqual(
    made.toRecords().map((out: any) => `${out.device} ${out.what} (${out._time.getTime()})`),
    [
      "a row 1 at 1000 (1000)",
      "b row 1 at 1400 (1400)",
      // event time goes by 1500 on the way to 2000
      "a timer 1 at 1500 (1500)",
      "b timer 1 at 1500 (1500)",
      "b row 2 at 2000 (2000)",
      // in the past when it was set: due at once
      "b timer 2 at 2000 (2000)",
      "a row 2 at 2100 (2100)",
      "a timer 2 at 2100 (2100)",
      "a row 3 at 1200 (1200)",
      "a timer 3 at 2100 (2100)",
    ],
  );
});

async function open(
  frame: StreamFrame,
  input: polars.DataFrame,
): Promise<{ task: Task; feed(): Promise<any>; stores: any }> {
  const program = compileFrame(frame, schemaOf(input));
  const stores = memoryStores();
  const task = await program.open(stores);
  const offsets = polars.Series(
    "_offset",
    Float64Array.from({ length: input.height }, (_, i) => i),
  );
  const source = asSource(input)
    .drop("_offset")
    .hstack([offsets.cast(polars.Int64)]) as unknown as polars.DataFrame;
  return { task, stores: stores.opened, feed: () => task.process(new Map([[program.sources[0]!.id, source]])) };
}

const shown = (result: { rows: readonly { frame: polars.DataFrame }[] }): unknown[] =>
  result.rows.flatMap(({ frame }) => values(frame).toRecords());
const reasons = (bad: readonly BadRow[]): string[] => bad.map(({ offset, reason }) => `${offset} ${reason}`);

test("a record for which the code throws is bad, emits nothing and leaves state and timers as they were", async () => {
  const frame = phones.process({
    by: "device",
    state: { list: [] as number[] },
    schema: { list: "List(Int64)" },
    onRow: (row, ctx) => {
      ctx.state.list.push(row.i);
      ctx.timer(row.t.getTime() + 1, `t${row.i}`);
      ctx.emit({ list: ctx.state.list });
      if (row.i === 2) throw new Error("two");
    },
    onTimer: ({ name }, ctx) => {
      ctx.state.list.push(-Number(name.slice(1)));
      if (name === "t4") throw new Error("timer");
    },
  });
  const { feed, stores } = await open(frame, frameOf([1, 2, 3, 4, 5, 6].map((i) => row("a", 10 * i, i))));
  const result = await feed();
  assert.deepEqual(
    result.rows[0].frame
      .getColumn("list")
      .toArray()
      .map((list: any) => [...list]),
    [[1], [1, -1, 3], [1, -1, 3, -3, 4], [1, -1, 3, -3, 4, 5], [1, -1, 3, -3, 4, 5, -5, 6]],
  );
  assert.deepEqual(reasons(result.bad).sort(), ["-1 process: onTimer: timer", "1 process: two"]);
  const [kept] = (await stores.get("process_by_device").all()).toRecords();
  assert.equal(kept.state, '{"list":[1,-1,3,-3,4,5,-5,6]}');
  assert.equal(kept.timers, '{"t6":61}');
});

test("a wall-clock timer fires by advance(now), counted from the first look at the clock; explain says so", async () => {
  const frame = phones.process({
    by: "device",
    state: { n: 0 },
    schema: { n: "Int64", wall: "Boolean" },
    onRow: (_, ctx) => {
      ctx.state.n++;
      ctx.wallTimer("5s");
    },
    onTimer: ({ wall }, ctx) => ctx.emit({ n: ctx.state.n, wall }),
  });
  const { task, feed } = await open(frame, frameOf([row("a", 1000), row("a", 2000), row("b", 2000)]));
  await feed();
  assert.deepEqual(shown(await task.advance(1_000_000)), []);
  assert.deepEqual(shown(await task.advance(1_004_999)), []);
  assert.deepEqual(shown(await task.advance(1_005_000)), [
    { device: "a", n: 2, wall: true },
    { device: "b", n: 1, wall: true },
  ]);
  assert.deepEqual(shown(await task.advance(9_000_000)), []);
  assert.match(frame.explain(), /wall clock: wallTimer depends on when it runs/);
});

test("windows over what process emits are exact, timers included", async () => {
  const frame = sessions
    .groupByDynamic({ indexColumn: "_time", every: "1s", by: "device" })
    .agg(pl.len().alias("n"), pl.col("n").sum().alias("sum"));
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const input = frameOf(list);
      const whole = await run(frame, input);
      const split = await run(frame, input, { splits: sizes, reopen: true });
      assert.deepEqual(perKey(split.rows), perKey(whole.rows));
    }),
    { seed, numRuns: runs(10) },
  );
});

const build = (more: object) => () =>
  phones.process({ by: "device", state: 0, schema: { n: "Int64" }, onRow: () => {}, ...more } as any);
const refused: readonly [string, () => unknown, string][] = [
  ["no key", build({ by: undefined }), "NO_KEY"],
  ["no state", build({ state: undefined }), "NO_STATE"],
  ["no schema", build({ schema: undefined }), "NO_SCHEMA"],
  ["timers without onTimer", build({ onRow: (_: any, ctx: any) => ctx.timer(1) }), "BAD_OPTION"],
  ["another option", build({ every: "1s" }), "BAD_OPTION"],
  [
    "a key among emitted columns",
    () => compileFrame(build({ schema: { device: "Utf8" } })() as StreamFrame, { device: "Utf8", t: "Datetime(ms)" }),
    "DUPLICATE_COLUMN",
  ],
];
for (const [what, run, code] of refused)
  test(`process refuses ${what}`, () => {
    assert.throws(run, (error: any) => error.code === code);
  });

test("state that is not data is refused with the place it is at", async () => {
  const frame = phones.process({
    by: "device",
    state: { last: null as any },
    schema: { n: "Int64" },
    onRow: (row, ctx) => {
      ctx.state.last = row;
    },
  });
  const { feed } = await open(frame, frameOf([row("a", 1)]));
  await assert.rejects(
    feed,
    (error: any) => error.code === "STATE_NOT_DATA" && /state\.last is the row itself/.test(error.message),
  );
});
