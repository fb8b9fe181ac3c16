import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { table } from "../../lib/frame/table.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";
import { SCHEMAS } from "./fuzz/whole-programs.ts";

const opened = (name: string) => topic(name, { key: "device", time: "t", schema: SCHEMAS[name]! });
const phones = opened("phones");
const tablets = opened("tablets").select("device", pl.col("n").alias("k"));
const by = "device";
const count = pl.len().alias("n");

/** What gives rows that are not those of records, or not at their time. */
const GIVEN: Readonly<Record<string, StreamFrame>> = {
  windows: phones.groupByDynamic({ indexColumn: "t", every: "1s", by }).agg(count),
  sessions: phones.groupBySession({ gap: "500ms", by }).agg(count),
  rolling: phones.groupByRolling({ indexColumn: "t", period: "1s", by }).agg(count),
  byCount: phones.groupByCount({ every: 2, by }).agg(count),
  forward: phones.joinAsof(tablets, { by, strategy: "forward", tolerance: "500ms" }),
  unmatched: phones.join(tablets, { on: "device", how: "left", within: "300ms" }).drop("k"),
  unmatchedWindows: phones
    .groupByDynamic({ indexColumn: "t", every: "1s", by })
    .agg(count)
    .join(tablets, { on: "device", how: "left", within: "300ms" })
    .drop("k"),
  windowsAndRows: phones
    .groupByDynamic({ indexColumn: "t", every: "1s", by, grace: "1s" })
    .agg(count)
    .select("device", "n")
    .concat(phones.select("device", pl.col("n").cast(pl.UInt32).alias("n"))),
  code: phones.process({
    by,
    state: { n: 0 },
    schema: { n: "Int64" },
    onRow: (row, ctx) => {
      ctx.timer(Number(row.t) + 500);
      ctx.emit({ n: ++ctx.state.n });
    },
    onTimer: (_, ctx) => ctx.emit({ n: -ctx.state.n }),
  }),
};

const owners = table("owners", { key: "device", time: "t", schema: SCHEMAS.owners! });
const AGAIN: Readonly<Record<string, (rows: StreamFrame) => StreamFrame>> = {
  interval: (rows) => rows.join(tablets, { on: "device", within: "2s", how: "left", suffix: "_2" }),
  outer: (rows) => rows.join(tablets, { on: "device", within: "200ms", how: "full", coalesce: true, suffix: "_2" }),
  asOf: (rows) => rows.joinAsof(tablets, { by, suffix: "_2" }),
  forward: (rows) => rows.joinAsof(tablets, { by, strategy: "forward", tolerance: "1s", suffix: "_2" }),
  table: (rows) => rows.join(owners, { on: "device", how: "left", suffix: "_2" }),
  concat: (rows) => rows.select("device").concat(tablets.select("device")),
  windows: (rows) => rows.groupByDynamic({ indexColumn: "_time", every: "2s", by }).agg(count),
  sessions: (rows) => rows.groupBySession({ by, gap: "400ms" }).agg(count),
  rolling: (rows) => rows.groupByRolling({ indexColumn: "_time", by, period: "2s" }).agg(count),
  over: (rows) => rows.withColumns(pl.col("device").cumCount().over("device").alias("c")),
  anew: (rows) => rows.withColumns(pl.col("device").cumCount().over(pl.col("n").modulo(2)).alias("c")),
  process: (rows) =>
    rows.process({ by, state: { c: 0 }, schema: { c: "Int64" }, onRow: (_, ctx) => ctx.emit({ c: ++ctx.state.c }) }),
};

const records = Array.from({ length: 6 }, (_, i) =>
  ["phones", "tablets", "owners"].map((name, j) => ({
    name,
    record: { device: i % 3 === 0 ? "b" : "a", t: i * 700 + j * 13, x: 1, j: 1, s: "p", n: i, owner: `o${i}` },
  })),
).flat();

for (const [first, given] of Object.entries(GIVEN))
  test(`rows of ${first} meet others again, and batches do not matter`, async () => {
    for (const [second, again] of Object.entries(AGAIN)) {
      const program = again(given);
      const run = async (interleaved: boolean) => {
        const tested = driver(program, { partitions: 2, schemas: SCHEMAS });
        const read = JSON.stringify(program.node);
        const used = records.filter(({ name }) => read.includes(`"topics":["${name}"]`));
        if (interleaved) for (const { name, record } of used) await tested.feed(name, [record]);
        else
          for (const topicName of new Set(used.map(({ name }) => name)))
            await tested.feed(
              topicName,
              used.filter(({ name }) => name === topicName).map(({ record }) => record),
            );
        await tested.end();
        assert.deepEqual(tested.bad, []);
        return tested.table().split("\n").slice(1).sort();
      };
      const whole = await run(false);
      assert.ok(whole.length > 0 || second === "sessions", `${first}, then ${second}: no rows`);
      assert.deepEqual(await run(true), whole, `${first}, then ${second}`);
    }
  });

for (const [first, given] of Object.entries(GIVEN))
  test(`what of ${first} is still open comes to where rows are placed anew`, async () => {
    const open = async (program: StreamFrame, columns: readonly string[]) => {
      const tested = driver(program, { partitions: 2, schemas: SCHEMAS });
      for (const { name, record } of records)
        if (JSON.stringify(program.node).includes(`"topics":["${name}"]`)) await tested.feed(name, [record]);
      await tested.feed("phones", [{ ...records.at(-1)!.record, device: "alone", n: 99 }]);
      await tested.end();
      const rows = (await tested.openRows()).select(...columns).toRecords();
      return rows.map((row) => JSON.stringify(row)).sort();
    };
    const keys = ["device", "n"];
    const wanted = await open(given, keys);
    assert.ok(wanted.length > 0 || first === "code", "something is open");
    assert.deepEqual(await open(given.keyBy("n"), keys), wanted, "placed once");
    assert.deepEqual(await open(given.keyBy("n").keyBy("device"), keys), wanted, "placed twice");
  });

test("what is open in several partitions goes on in the order of its times", async () => {
  const waiting = phones.join(tablets, { on: "device", how: "left", within: "10s" }).drop("k");
  const sessions = waiting.groupBySession({ gap: "900ms", by: "s" }).agg(count);
  for (const partitions of [1, 2, 3]) {
    const tested = driver(sessions, { partitions, schemas: SCHEMAS });
    const rows = Array.from({ length: 12 }, (_, i) => ({
      device: "abcd"[i % 4]!,
      t: i * 500,
      x: 1,
      j: 1,
      s: "p",
      n: i,
    }));
    await tested.feed("phones", rows);
    await tested.end();
    const open = (await tested.openRows()).select("s", "n").toRecords();
    assert.deepEqual(JSON.parse(JSON.stringify(open)), [{ s: "p", n: 12 }], `${partitions} partitions`);
  }
});

/** Rows of which some come later than others: they wait for partners, or for windows to close. */
const WAITING: Readonly<Record<string, StreamFrame>> = (() => {
  const within = { before: "10s", after: "1s" };
  const forward = { by, strategy: "forward", tolerance: "1s" } as const;
  const keys = ["device", "j"];
  const windows = phones.groupByDynamic({ indexColumn: "t", every: "100ms", by: keys }).agg(pl.len().alias("w"));
  const slower = phones
    .groupByDynamic({ indexColumn: "t", every: "100ms", by: keys, grace: "2s" })
    .agg(pl.len().alias("w"));
  const partners = tablets.withColumns(pl.lit(1).cast(pl.Int64).alias("one"));
  const partnersOf = opened("tablets").groupByDynamic({ indexColumn: "t", every: "100ms", by }).agg(count);
  return {
    interval: phones.join(partners, { on: "device", how: "left", within }),
    forward: phones.joinAsof(partners, forward),
    "windows interval": windows.join(partners, { on: "device", how: "left", within }),
    "windows interval windows": windows.join(partnersOf, { on: "device", how: "left", within }),
    "rows interval windows": phones.join(partnersOf.rename({ n: "k" }), { on: "device", how: "left", within }),
    "windows forward": windows.joinAsof(partners, forward),
    "windows forward windows": windows.joinAsof(partnersOf, forward),
    "rows with windows": phones.select("j").concat(slower.select("j")),
    "windows of two graces": windows.concat(slower),
  };
})();

for (const [name, waiting] of Object.entries(WAITING))
  test(`some rows come later than others, and are late for nothing where they are placed anew: ${name}`, async () => {
    const read = JSON.stringify(waiting.node);
    const whole = (device: string, t: number, j: number) => ({ device, t, x: 1, j, s: "p", n: 1 });
    const counted = async (program: StreamFrame, partitions: number) => {
      const tested = driver(program, { partitions, schemas: SCHEMAS });
      const feed = async (topicName: string, ...batch: readonly ReturnType<typeof whole>[]) => {
        if (read.includes(`"topics":["${topicName}"]`)) await tested.feed(topicName, batch);
      };
      await feed("phones", whole("a", 100, 1), whole("b", 200, 1), whole("a", 900, 1));
      await feed("tablets", whole("a", 150, 1));
      for (const t of [1050, 1500, 20_000])
        for (const topicName of ["phones", "tablets"])
          await feed(topicName, ...[..."cdefgh"].map((device) => whole(device, t, 9)));
      const of1 = tested.rows().filter(pl.col("j").eq(pl.lit(1)));
      return { rows: of1.height, sum: of1.columns.includes("n") ? Number(of1.getColumn("n").sum()) : 0 };
    };
    const { rows } = await counted(waiting, 1);
    assert.ok(rows >= 3);
    for (const partitions of [1, 3]) {
      const rolling = waiting.groupByRolling({ indexColumn: "_time", period: "5s", by: "j", grace: "0s" }).agg(count);
      assert.equal((await counted(rolling, partitions)).rows, rows, `rolling, ${partitions} partitions`);
      const windows = { indexColumn: "_time", every: "300ms", by: "j", grace: "0s" } as const;
      const again = waiting.keyBy("j").groupByDynamic(windows).agg(count);
      assert.equal((await counted(again, partitions)).sum, rows, `windows, ${partitions} partitions`);
    }
  });

/** Records of one key at these times, in order; then one of another key, so late that nothing waits any more. */
const oneByOne = (...times: readonly (readonly [string, number])[]) =>
  [...times, ["phones", 90_000] as const, ["tablets", 90_001] as const].map(([name, t], n) => ({
    name,
    record: { device: t < 90_000 ? "a" : "b", t, x: 1, j: 1, s: "p", n },
  }));

/** Rows given at other times than their own: at once where the other side is there already, or with it, or for want of it. */
const WAITED: Readonly<Record<string, StreamFrame>> = {
  forward: phones.joinAsof(tablets, { by, strategy: "forward", tolerance: "2s" }).drop("k"),
  semi: phones.join(tablets, { on: "device", how: "semi", within: { before: "0ms", after: "10s" } }),
  anti: phones.join(tablets, { on: "device", how: "anti", within: { before: "0ms", after: "100ms" } }),
  placed: phones.join(tablets, { on: "device", how: "semi", within: { before: "0ms", after: "10s" } }).keyBy("j"),
};

for (const [name, waited] of Object.entries(WAITED))
  test(`rows that waited and meet others again stand where they were given, in any batches: ${name}`, async () => {
    const on = name === "placed" ? "j" : "device";
    const others = opened("tablets").select(on, pl.col("n").alias("m"));
    const program = waited.join(others, { on, within: { before: "1s", after: "5s" } });
    const all = oneByOne(
      ["phones", 1000],
      ["tablets", 1110],
      ["phones", 1200],
      ["phones", 1300],
      ["tablets", 1500],
      ["tablets", 2500],
      ["phones", 2600],
      ["tablets", 3700],
      ["tablets", 5700],
    );
    const run = async (batches: readonly (typeof all)[]) => {
      const tested = driver(program, { schemas: SCHEMAS });
      for (const batch of batches)
        await tested.feed(
          batch[0]!.name,
          batch.map(({ record }) => record),
        );
      await tested.end();
      return tested.table(program, ["n", "m"]);
    };
    const whole = await run(["phones", "tablets"].map((name) => all.filter((one) => one.name === name)));
    assert.ok(whole.split("\n").length > 5);
    assert.equal(await run(all.map((one) => [one])), whole);
  });

test("rows that waited and are placed anew come in the order in which they were given, whatever else is in their partition", async () => {
  const partners = opened("tablets").select("j");
  const program = phones
    .join(partners, { on: "j", how: "semi", within: { before: "0ms", after: "10s" } })
    .withColumns(pl.col("n").cumCount().over("device").alias("place"));
  const row = (t: number, j: number, n: number, device = "a") => ({ device, t, x: 1, j, s: "p", n });
  for (const partitions of [1, 2, 3]) {
    const tested = driver(program, { partitions, schemas: SCHEMAS });
    await tested.feed("phones", [row(1000, 1, 1), row(1100, 2, 2), row(1200, 3, 3)]);
    await tested.feed("tablets", [row(1300, 3, 0), row(1400, 2, 0), row(1500, 1, 0)]);
    for (const name of ["phones", "tablets"])
      await tested.feed(
        name,
        [..."bcdefgh"].map((device, i) => row(90_000 + i, 9, 0, device)),
      );
    await tested.end();
    const rows = tested.rows().filter(pl.col("device").eq(pl.lit("a")));
    const placed = rows
      .select("n", "place")
      .rows()
      .map(([n, place]) => `${n} is ${place}`);
    assert.deepEqual(placed, ["3 is 1", "2 is 2", "1 is 3"], `${partitions} partitions`);
  }
});

test("a join whose rows all come at once delays nothing behind it", async () => {
  const windows = phones
    .groupByDynamic({ indexColumn: "t", every: "1s", by: ["device", "j"], grace: "10s" })
    .agg(count);
  const rowsOf = async (rows: StreamFrame) => {
    const tested = driver(
      rows.groupByDynamic({ indexColumn: "_time", every: "1s", by: "j" }).agg(pl.len().alias("m")),
      {
        partitions: 2,
        schemas: SCHEMAS,
      },
    );
    for (let t = 0; t < 30_000; t += 500)
      for (const topicName of ["phones", "tablets"])
        if (JSON.stringify(rows.node).includes(`"topics":["${topicName}"]`))
          await tested.feed(
            topicName,
            [..."abcdefgh"].map((device) => ({ device, t, x: 1, j: t % 3, s: "p", n: 1 })),
          );
    return tested.rows().height;
  };
  const wanted = await rowsOf(windows);
  assert.ok(wanted > 15, `${wanted} windows`);
  assert.equal(await rowsOf(windows.joinAsof(tablets, { by: "device" })), wanted);
});
