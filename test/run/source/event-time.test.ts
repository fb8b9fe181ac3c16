import assert from "node:assert/strict";
import { test } from "node:test";
import { topic } from "../../../lib/frame/topic.ts";
import { pl } from "../../../lib/plan/pl.ts";
import { driver } from "../../../lib/test/driver.ts";

const schema = { device: "Utf8", seconds: "Float64", at: "Utf8" };
const perSecond = (time: Parameters<typeof topic>[1]) =>
  topic("readings", { key: "device", schema, ...time })
    .groupByDynamic({ indexColumn: "_time", every: "1s", by: "device" })
    .agg(pl.len().alias("n"));
const records = [0.1, 0.9, 1.5, 7].map((seconds) => ({
  device: "a",
  seconds,
  at: new Date(seconds * 1000).toISOString(),
  _time: 0,
}));
const windows = `device  window_start          window_end            n
a       1970-01-01T00:00:00Z  1970-01-01T00:00:01Z  2
a       1970-01-01T00:00:01Z  1970-01-01T00:00:02Z  1`;

test("event time is computed by an expression, or by a function of the row", async () => {
  for (const time of [
    pl.col("seconds").multiplyBy(1000),
    pl.col("seconds").multiplyBy(1000).cast(pl.Datetime("ms")),
    pl.col("at").str.strptime(pl.Datetime("ms"), "%Y-%m-%dT%H:%M:%S%.3fZ"),
    (row: any) => row.seconds * 1000,
    (row: any) => new Date(row.seconds * 1000),
    (row: any) => row.at,
  ]) {
    const run = driver(perSecond({ time }));
    await run.feed(records);
    assert.equal(run.table(), windows, String(time));
    assert.deepEqual(run.bad, []);
  }
});

test("only the columns that event time is made of are decoded beside those in use", () => {
  assert.match(perSecond({ time: pl.col("seconds").multiplyBy(1000) }).explain(), /columns read: device, seconds;/);
  assert.match(perSecond({ time: (row) => row.at }).explain(), /event time: code \(row\) => row\.at/);
});

test("a record without an event time is bad, with the reason, and the others go on", async () => {
  for (const [time, reasons] of [
    [pl.col("seconds").multiplyBy(1000), ["no event time: what it is computed from gave none"]],
    [pl.col("at").cast(pl.Float64, true), [/^event time: /, /^event time: /]],
    [
      (row: any) => {
        if (row.seconds === null) throw new Error("no seconds");
        return row.seconds * 1000;
      },
      ["event time: no seconds"],
    ],
    [(row: any) => row.at, [/is no time$/]],
  ] as const) {
    const run = driver(perSecond({ time: time as never }));
    const odd = [
      { device: "a", seconds: 0.2, at: "3" },
      { device: "a", seconds: null, at: "soon" },
      { device: "a", seconds: 9, at: "4000" },
    ];
    await run.feed(odd);
    const given = run.bad.map(({ offset, reason }) => ({ offset, reason }));
    assert.ok(given.length >= 1 && given.some(({ offset }) => offset === 1), JSON.stringify(given));
    assert.ok(
      typeof reasons[0] === "string" ? given[0]!.reason === reasons[0] : reasons[0]!.test(given[0]!.reason),
      JSON.stringify(given),
    );
  }
});

test("what is no time is refused", async () => {
  for (const [time, code] of [
    [pl.col("at"), "NOT_A_TIME"],
    [pl.col("seconds").cumSum().over("device"), "NOT_A_TIME"],
    [pl.col("secnds"), "UNKNOWN_COLUMN"],
    [pl.col("seconds").max(), "NO_EXACT_STREAMING_MEANING"],
  ] as const)
    await assert.rejects(driver(perSecond({ time })).feed(records), { code });
  assert.throws(() => perSecond({ time: 7 as never }), { code: "NOT_A_FUNCTION" });
  assert.throws(() => perSecond({ time: (async () => 1) as never }), { code: "ASYNC_FUNCTION" });
});
