import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { frameOf, type Row, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const inner = (grace: string, every = "1s", period = every) =>
  phones
    .groupByDynamic({ indexColumn: "t", every, period, by: "device", grace })
    .agg(x.max().alias("max"), pl.len().alias("n"));

const byKey = (frame: polars.DataFrame): polars.DataFrame => frame.sort({ by: ["device", "window_start"] } as never);

for (const indexColumn of ["_time", "window_start", "window_end"])
  test(`windows over windows by ${indexColumn} equal Polars over the inner ones that have closed (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        rows(70),
        splits,
        fc.constantFrom("0s", "700ms"),
        fc.constantFrom("0s", "1500ms"),
        fc.boolean(),
        async (list, sizes, grace, outerGrace, reopen) => {
          const program = inner(grace)
            .groupByDynamic({ indexColumn, every: "3s", by: "device", grace: outerGrace })
            .agg(
              pl.col("max").mean().alias("mean"),
              pl.col("n").sum().alias("rows"),
              pl.col("n").first().alias("first"),
            );
          const actual = await run(program, frameOf(list), { splits: sizes, reopen });
          const closed = await run(inner(grace), frameOf(list));
          const lag = (grace === "0s" ? 0 : 700) + (indexColumn === "window_start" ? 1000 : 0);
          const outer = lag + (outerGrace === "0s" ? 0 : 1500);
          const time = polars.col(indexColumn).cast(polars.Int64).cast(polars.Float64);
          const start = time.div(polars.lit(3000)).floor().multiplyBy(polars.lit(3000));
          const expected = closed.rows
            .withColumns(start.alias("start"))
            .filter(
              polars
                .col("start")
                .plus(polars.lit(3000 + outer))
                .ltEq(polars.lit(closed.task.watermark)),
            )
            .groupBy("device", "start")
            .agg(
              polars.col("max").mean().alias("mean"),
              polars.col("n").sum().alias("rows"),
              polars.col("n").first().alias("first"),
            )
            .withColumns(polars.col("start").cast(polars.Int64).cast(polars.Datetime("ms")).alias("window_start"))
            .select("device", "window_start", "mean", "rows", "first");
          assertFramesEqual(
            byKey(values(actual.rows)).select("device", "window_start", "mean", "rows", "first"),
            byKey(expected),
            "outer",
          );
        },
      ),
      { seed, numRuns: runs(4) },
    );
  });

const over: Readonly<Record<string, (frame: StreamFrame) => StreamFrame>> = {
  "sessions over windows": (frame) =>
    frame.groupBySession({ by: "device", gap: "2s" }).agg(pl.col("n").sum().alias("rows"), pl.col("max").last()),
  "windows over sessions": () =>
    phones
      .groupBySession({ by: "device", indexColumn: "t", gap: "900ms", grace: "300ms" })
      .agg(pl.len().alias("n"))
      .groupByDynamic({ indexColumn: "_time", every: "5s", by: "device" })
      .agg(pl.col("n").max(), pl.col("n").first().alias("first")),
  "rolling over windows": (frame) =>
    frame.groupByRolling({ indexColumn: "window_start", by: "device", period: "3s" }).agg(pl.col("n").sum()),
  "windows over rolling": () =>
    phones
      .groupByRolling({ indexColumn: "t", by: "device", period: "2s", grace: "500ms" })
      .agg(x.max().alias("max"))
      .groupByDynamic({ indexColumn: "t", every: "2s", by: "device" })
      .agg(pl.col("max").mean(), pl.len().alias("n")),
  "windows over overlapping windows": () =>
    inner("300ms", "500ms", "1700ms")
      .filter(pl.col("n").gt(1))
      .groupByDynamic({ indexColumn: "window_end", every: "2s", by: "device" })
      .agg(pl.col("n").sum()),
  "rows of windows, counted": (frame) => frame.groupByCount({ by: "device", every: 2 }).agg(pl.col("n").sum()),
  "windows three deep": (frame) =>
    frame
      .groupByDynamic({ indexColumn: "_time", every: "2s", by: "device" })
      .agg(pl.col("n").sum())
      .groupByDynamic({ indexColumn: "window_start", every: "4s", by: "device" })
      .agg(pl.col("n").sum(), pl.len().alias("windows")),
  "unique within a time over windows": (frame) => frame.unique({ subset: ["device", "n"], within: "3s" }),
  "state over windows": (frame) =>
    frame.withColumns(pl.col("max").forwardFill().diff(1, "ignore").over("device").alias("change")),
};

for (const [name, program] of Object.entries(over))
  test(`${name}: however the rows are split, the rows given are the same, per key in the same order (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(rows(70), splits, fc.boolean(), fc.boolean(), async (list, sizes, reopen, final) => {
        const frame = program(inner("300ms"));
        const ordered = (given: polars.DataFrame) => values(given).sort("device", false, false, true);
        const whole = await run(frame, frameOf(list), { final });
        const parts = await run(frame, frameOf(list), { splits: sizes, reopen, final });
        assertFramesEqual(ordered(parts.rows), ordered(whole.rows), "split");
        assert.equal(Object.values(parts.task.counts()).length, Object.values(whole.task.counts()).length);
      }),
      { seed, numRuns: runs(3) },
    );
  });

test("once all has closed, nothing is missing: totals over windows over windows are those of the rows", async () => {
  await fc.assert(
    fc.asyncProperty(rows(50), splits, async (list, sizes) => {
      const last: Row = { device: "end", t: 1e9, x: 1, y: null, i: null, j: null, s: null, b: null, d: null };
      const sorted = [...list.toSorted((a, b) => a.t - b.t), last];
      const program = inner("0s")
        .groupByDynamic({ indexColumn: "_time", every: "7s", by: "device" })
        .agg(pl.col("n").sum());
      const { rows: given } = await run(program, frameOf(sorted), { splits: sizes });
      const total = given.getColumn("n").sum();
      assert.equal(Number(total), list.length);
    }),
    { seed, numRuns: runs(4) },
  );
});

test("running groups over closed windows: the last row per key is that of Polars over the windows", async () => {
  await fc.assert(
    fc.asyncProperty(rows(60), splits, async (list, sizes) => {
      const program = inner("0s").groupBy("device").agg(pl.col("n").max().alias("most"), pl.len().alias("windows"));
      const actual = values((await run(program, frameOf(list), { splits: sizes })).rows)
        .groupBy("device")
        .agg(polars.col("most").last(), polars.col("windows").last())
        .sort("device");
      const closed = await run(inner("0s"), frameOf(list));
      const expected = closed.rows
        .groupBy("device")
        .agg(polars.col("n").max().alias("most"), polars.len().alias("windows"))
        .sort("device");
      assertFramesEqual(actual, expected, "groups");
    }),
    { seed, numRuns: runs(4) },
  );
});
