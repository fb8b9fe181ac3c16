import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import type { StreamFrame } from "../../../lib/frame/stream-frame.ts";
import { topic } from "../../../lib/frame/topic.ts";
import { compile } from "../../../lib/operators/program.ts";
import { sourcesOf } from "../../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../../lib/plan/pl.ts";
import { ProgramRunner } from "../../../lib/run/memory/program-runner.ts";
import { emptyFrame } from "../../../lib/schema.ts";
import { frameOf, rows, runs, SCHEMA, seed } from "../../operators/random-rows.ts";
import { asSource, assertFramesEqual } from "../../operators/run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const PARTITIONS = 3;

/** Random rows on partitions by device, and in what pieces the partitions are read. */
const input = fc.record({
  rows: rows(40),
  turns: fc.array(fc.record({ partition: fc.nat(PARTITIONS - 1), take: fc.nat(9) }), { maxLength: 12 }),
});

/** As a source reader would give them: offsets count within the partition. */
function partitioned(all: polars.DataFrame): polars.DataFrame[] {
  const place = (device: unknown) => (device === null ? 0 : String(device).length % PARTITIONS);
  const devices = all.getColumn("device").toArray() as unknown[];
  return Array.from({ length: PARTITIONS }, (_, partition) => {
    const own = devices.flatMap((device, i) => (place(device) === partition ? [i] : []));
    const rows = own.length === 0 ? all.head(0) : all.select(polars.all().gather(own));
    return asSource(rows).withColumns(
      polars.lit(partition).cast(polars.Int32).alias("_partition"),
      polars
        .Series(
          "_offset",
          own.map((_, i) => i),
          polars.Float64,
        )
        .cast(polars.Int64) as never,
    );
  });
}

async function run(
  frame: StreamFrame,
  parts: readonly polars.DataFrame[],
  turns: readonly { partition: number; take: number }[],
) {
  const [source] = sourcesOf([frame.node]);
  const program = compile([frame.node], new Map([[source!.id, SCHEMA]]));
  const runner = new ProgramRunner(program, { topics: new Map([[source!.id, new Map([["phones", PARTITIONS]])]]) });
  const out: { task: string; frame: polars.DataFrame }[] = [];
  const at = parts.map(() => 0);
  for (const { partition, take } of [...turns, ...parts.map((part, partition) => ({ partition, take: part.height }))]) {
    const batch = parts[partition]!.slice(at[partition]!, take);
    at[partition]! += batch.height;
    out.push(...(await runner.feed(source!.id, "phones", partition, batch)).rows);
  }
  out.push(...(await runner.end()).rows);
  const { schema } = program.terminals[0]!;
  const none = emptyFrame(schema);
  return Array.from({ length: PARTITIONS }, (_, task) => {
    const own = out.filter((rows) => rows.task === String(task)).map((rows) => rows.frame);
    return own.length === 0 ? none : polars.concat(own);
  });
}

/** All rows in the order in which partitions are merged, with the watermark of their own partition before each. */
function merged(parts: readonly polars.DataFrame[]): polars.DataFrame {
  const time = polars.col("t").cast(polars.Int64);
  const all = parts.map((part) =>
    part.withColumns(time.cumMax().alias("order"), time.cumMax().shift(1).alias("before")),
  );
  return polars.concat(all).sort(["order", "_partition", "_offset"]);
}

const WINDOW = 2000;
const windows = (rows: polars.DataFrame, keys: readonly string[], aggs: polars.Expr[]): polars.DataFrame => {
  const time = polars.col("t").cast(polars.Int64);
  const start = time.minus(time.modulo(WINDOW).plus(WINDOW).modulo(WINDOW));
  const placed = rows.withColumns(start.alias("start"));
  const end = polars.col("start").plus(WINDOW);
  const last = (rows.getColumn("order").max() as number | null) ?? Number.NEGATIVE_INFINITY;
  return placed
    .filter(end.gt(polars.col("before")).fillNull(polars.lit(true)))
    .filter(end.ltEq(polars.lit(Number.isFinite(last) ? Number(last) : 0)))
    .groupBy([...keys, "start"])
    .agg(...aggs)
    .sort(["start", ...keys]);
};

interface Case {
  readonly name: string;
  readonly frame: StreamFrame;
  readonly expected: (merged: polars.DataFrame) => polars.DataFrame;
  /** What is compared, in an order of its own. */
  readonly shown: (all: polars.DataFrame) => polars.DataFrame;
}

const OVER = ["s", "x", "_partition", "_offset"];
const overS = (expr: typeof x, name: string) => expr.over("s").alias(name);
const CASES: readonly Case[] = [
  {
    name: "look-back and accumulation by a column that is not the record key",
    frame: phones.withColumns(overS(x.shift(1), "before_x"), overS(pl.col("i").cumSum(), "sum")),
    expected: (all) =>
      all.withColumns(
        polars.col("x").shift(1).over("s").alias("before_x"),
        polars.col("i").cumSum().over("s").alias("sum"),
      ),
    shown: (all) => all.select(...OVER, "before_x", "sum").sort(["_partition", "_offset"]),
  },
  {
    name: "keyBy, and verbs by the new key",
    frame: phones.keyBy("s").withColumns(overS(x.diff(1, "ignore"), "delta")),
    expected: (all) => all.withColumns(polars.col("x").diff(1, "ignore").over("s").alias("delta")),
    shown: (all) => all.select(...OVER, "delta").sort(["_partition", "_offset"]),
  },
  {
    name: "windows by another column",
    frame: phones
      .groupByDynamic({ indexColumn: "t", every: `${WINDOW}ms`, by: "s" })
      .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("i").first().alias("first"), pl.col("i").last().alias("last")),
    expected: (all) =>
      windows(
        all,
        ["s"],
        [
          polars.len().cast(polars.Int64).alias("n"),
          polars.col("i").first().alias("first"),
          polars.col("i").last().alias("last"),
        ],
      ).withColumns(polars.col("start").cast(polars.Datetime("ms")).alias("window_start")),
    shown: (all) => all.select("s", "window_start", "n", "first", "last").sort(["window_start", "s"]),
  },
  {
    name: "windows without a key, in one partition",
    frame: phones
      .groupByDynamic({ indexColumn: "t", every: `${WINDOW}ms` })
      .agg(pl.len().cast(pl.Int64).alias("n"), pl.col("i").last().alias("last")),
    expected: (all) =>
      windows(all, [], [polars.len().cast(polars.Int64).alias("n"), polars.col("i").last().alias("last")]).withColumns(
        polars.col("start").cast(polars.Datetime("ms")).alias("window_start"),
      ),
    shown: (all) => all.select("window_start", "n", "last").sort(["window_start"]),
  },
  {
    name: "running groups by two columns, of which neither is the record key",
    frame: phones.groupBy("s", "b").agg(pl.col("i").sum().alias("sum"), pl.len().cast(pl.Int64).alias("n")),
    expected: (all) =>
      all.groupBy(["s", "b"]).agg(polars.col("i").sum().alias("sum"), polars.len().cast(polars.Int64).alias("n")),
    shown: (all) =>
      all
        .select("s", "b", "sum", "n")
        .groupBy(["s", "b"])
        .agg(polars.col("sum").last(), polars.col("n").last())
        .sort(["s", "b"]),
  },
];

for (const { name, frame, expected, shown } of CASES)
  test(`rows placed anew are those of Polars over the merged partitions, however they are read: ${name} (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(input, async ({ rows, turns }) => {
        const parts = partitioned(frameOf(rows));
        const once = await run(frame, parts, []);
        const pieces = await run(frame, parts, turns);
        for (const task of once.keys()) {
          if (frame.node.kind !== "groupBy") assertFramesEqual(pieces[task]!, once[task]!, `task ${task}, in pieces`);
        }
        const actual = shown(polars.concat(pieces));
        assertFramesEqual(actual, shown(expected(merged(parts))), "against Polars");
      }),
      { seed, numRuns: runs(15) },
    );
  });

test("a topic that has more in the log is waited for beyond patience, one that has not is not; the wait begins anew when the clock is set back", async () => {
  const [one, other] = ["one", "other"].map((name) => topic(name, { key: "device", time: "t" })) as [
    StreamFrame,
    StreamFrame,
  ];
  const both = one.concat(other).select("i");
  const sources = sourcesOf([both.node]);
  const program = compile([both.node], new Map(sources.map(({ id }) => [id, SCHEMA])));
  const topics = new Map(sources.map(({ id }, i) => [id, new Map([[["one", "other"][i]!, 1]])]));
  const runner = new ProgramRunner(program, { topics, patience: 1000 });
  const given = ({ rows }: { rows: readonly { frame: polars.DataFrame }[] }) =>
    rows.flatMap(({ frame }) => frame.getColumn("i").toArray());
  const row = (i: number) => ({ device: "a", t: i, x: 0, y: 0, i, j: 0, s: "", b: true, d: 0 });
  assert.deepEqual(given(await runner.feed(sources[0]!.id, "one", 0, asSource(frameOf([row(10)])))), []);
  const more = (topic: string) => topic !== "other";
  assert.deepEqual(given(await runner.advance(10_000, more)), []);
  assert.deepEqual(given(await runner.advance(20_000, more)), [], "what is in the log comes first");
  assert.deepEqual(given(await runner.advance(1000)), [], "set back");
  assert.deepEqual(given(await runner.advance(1999)), []);
  assert.deepEqual(given(await runner.advance(2000)), [10], "nothing more is in the log");
});
