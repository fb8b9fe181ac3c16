import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { TimeZone } from "../../lib/operators/time-zone.ts";
import { windowSequence } from "../../lib/operators/window-sequence.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const visits = topic("visits", { key: "device", time: "t" });
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"];
const HOUR = 3_600_000;

/** Rows over a few years, mostly near the changes of clocks; in the order of time, so that none is late. */
const years: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      device: fc.constantFrom("a", "b"),
      t: fc.oneof(
        fc.integer({ min: Date.UTC(2016, 0), max: Date.UTC(2019, 0) }),
        fc
          .tuple(
            fc.constantFrom(Date.UTC(2017, 2, 26), Date.UTC(2017, 9, 29), Date.UTC(2017, 9, 15), Date.UTC(2018, 1, 18)),
            fc.integer({ min: -30, max: 30 }),
          )
          .map(([day, hours]) => day + hours * HOUR),
      ),
      x: fc.integer({ min: 0, max: 9 }),
    }),
    { maxLength: 50, size: "max" },
  )
  .map((list) =>
    list.toSorted((a, b) => a.t - b.t).map((row) => ({ y: null, i: null, j: null, s: null, b: null, d: null, ...row })),
  );

const wallClock = (time: polars.Expr, zone: string): polars.Expr =>
  time
    .cast(polars.Datetime("ms"))
    .dt.replaceTimeZone("UTC")
    .dt.convertTimeZone(zone)
    .dt.replaceTimeZone(null as never);

test(`windows of days, weeks and months are those of Polars on the clock of their zone (seed ${seed})`, async () => {
  await fc.assert(
    fc.asyncProperty(
      years,
      splits,
      fc.constantFrom("1d", "2d", "1w", "1mo", "1q", "1y"),
      fc.constantFrom(...ZONES),
      async (list, sizes, every, timeZone) => {
        const program = visits
          .groupByDynamic({ indexColumn: "t", every, timeZone, by: "device" })
          .agg(pl.col("x").sum().alias("sum"), pl.len().alias("n"));
        const actual = await run(program, frameOf(list), { splits: sizes, final: true });
        // a window starts when the clock shows its start or, where the clock jumps over that, right after
        const given = values(actual.rows)
          .withColumns(wallClock(polars.col("window_start"), timeZone).dt.truncate(every).alias("start"))
          .select("device", "start", "sum", "n")
          .sort({ by: ["device", "start"] } as never);
        const expected = frameOf(list)
          .withColumns(wallClock(polars.col("t"), timeZone).dt.truncate(every).alias("start"))
          .groupBy("device", "start")
          .agg(polars.col("x").sum().alias("sum"), polars.len().alias("n"))
          .sort({ by: ["device", "start"] } as never);
        assertFramesEqual(given, expected, `${every} ${timeZone}`);
      },
    ),
    { seed, numRuns: runs(15) },
  );
});

test("days in which clocks change have 23 and 25 hours; a period in hours goes by what has passed", () => {
  const hours = (period: string, day: number) => {
    const windows = windowSequence({
      every: 0,
      period: 0,
      offset: 0,
      calendar: { every: "1d", period, offset: "0s", timeZone: "Europe/Berlin" },
    });
    const window = windows.newest(day);
    return (windows.end(window) - windows.start(window)) / HOUR;
  };
  assert.equal(hours("1d", Date.UTC(2024, 2, 31, 12)), 23);
  assert.equal(hours("1d", Date.UTC(2024, 9, 27, 12)), 25);
  assert.equal(hours("24h", Date.UTC(2024, 9, 27, 12)), 24);
  assert.equal(hours("1w", Date.UTC(2024, 9, 27, 12)), 169);
});

const local = (zone: string, ...date: [number, number, number, number?, number?]) =>
  new Date(new TimeZone(zone).instant(Date.UTC(...date))).toISOString();

test("a wall-clock time that is shown twice is the earlier one; one that is jumped over, the instant of the jump", () => {
  assert.equal(local("Europe/Berlin", 2024, 9, 27, 2, 30), "2024-10-27T00:30:00.000Z");
  assert.equal(local("Europe/Berlin", 2024, 2, 31, 2, 30), "2024-03-31T01:00:00.000Z");
  assert.equal(local("America/Sao_Paulo", 2017, 9, 15), "2017-10-15T03:00:00.000Z"); // no midnight
  assert.equal(local("Pacific/Apia", 2011, 11, 30), "2011-12-30T10:00:00.000Z"); // no such day
});

test("an offset moves the hands of the clock, and windows may overlap", async () => {
  const at = (text: string): Row => ({ ...(frameless as Row), t: Date.parse(text) });
  const frameless = { device: "a", x: 1, y: null, i: null, j: null, s: null, b: null, d: null };
  const program = visits
    .groupByDynamic({
      indexColumn: "t",
      every: "1d",
      period: "2d",
      offset: "6h",
      timeZone: "Europe/Berlin",
      by: "device",
    })
    .agg(pl.len().alias("n"));
  const rows = frameOf(["2024-03-30T04:59:00Z", "2024-03-30T05:00:00Z", "2024-03-31T04:00:00Z"].map(at));
  const actual = await run(program, rows, { splits: [1], final: true });
  assert.deepEqual(
    actual.rows
      .select("window_start", "window_end", "n")
      .rows()
      .map(([start, end, n]) => [new Date(Number(start)).toISOString(), new Date(Number(end)).toISOString(), n]),
    [
      ["2024-03-28T05:00:00.000Z", "2024-03-30T05:00:00.000Z", 1],
      ["2024-03-29T05:00:00.000Z", "2024-03-31T04:00:00.000Z", 2],
      ["2024-03-30T05:00:00.000Z", "2024-04-01T04:00:00.000Z", 2],
      ["2024-03-31T04:00:00.000Z", "2024-04-02T04:00:00.000Z", 1],
    ],
  );
});

test("weeks start on Mondays without a time zone too", async () => {
  const program = visits.groupByDynamic({ indexColumn: "t", every: "1w", by: "device" });
  const { calendar } = program.agg(pl.len()).node as unknown as { calendar: unknown };
  assert.deepEqual(calendar, { every: "1w", period: "1w", offset: "0s", timeZone: "UTC" });
});
