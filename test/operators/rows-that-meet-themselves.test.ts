import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";
import { seeded } from "../support/seeded.ts";
import { SCHEMAS } from "./fuzz/whole-programs.ts";
import { seed } from "./random-rows.ts";

const opened = (name: string) => topic(name, { key: "device", time: "t", schema: SCHEMAS[name]! });
const [phones, tablets] = [opened("phones"), opened("tablets")];

const every = (rows: StreamFrame, by: string) =>
  rows.groupByDynamic({ indexColumn: "t", every: "1s", by }).agg(pl.col("device").last().alias("device"));

/** Rows that meet what was made of `right` under another key, and placed by theirs again. */
const MEETINGS: Readonly<Record<string, (left: StreamFrame, right: StreamFrame) => StreamFrame>> = {
  "concat, placed": (left, right) => left.select("j").concat(right.keyBy("j").select("j")),
  "concat, placed twice": (left, right) => left.select("n").concat(right.keyBy("j").keyBy("device").select("n")),
  "concat of both placed": (left, right) =>
    left.keyBy("j").select("n").concat(right.keyBy("j").keyBy("device").keyBy("j").select("n")),
  "as of windows by another key": (left, right) =>
    left.select("device", "t", "n").joinAsof(every(right, "j"), { by: "device" }),
  "near windows by another key": (left, right) =>
    left.select("device", "t", "n").join(every(right, "j"), { on: "device", how: "left", within: "1s" }),
  "windows over both": (left, right) =>
    left
      .select("device", "t", "j")
      .joinAsof(every(right, "j").select("device", pl.col("j").alias("last")), { by: "device" })
      .groupByDynamic({ indexColumn: "t", every: "500ms", by: "last" })
      .agg(pl.len().alias("rows")),
  "twice the same": (left, right) => {
    const made = () => left.select("device", "t", "n").joinAsof(every(right, "j"), { by: "device" }).keyBy("n");
    return made().select("n").concat(made().select("n"));
  },
  "twice in a row": (left, right) => {
    const once = left.select("device", "t", "n", "j").joinAsof(every(right, "j").select("device"), { by: "device" });
    return once.joinAsof(every(once, "n").select("device", pl.col("n").alias("m")), { by: "device" });
  },
};

const records = Array.from({ length: 100 }, (_, n) => ({
  device: "abcde"[n % 5]!,
  t: n * 37,
  x: 1,
  j: n % 3,
  s: "p",
  n,
}));

for (const [name, meeting] of Object.entries(MEETINGS))
  test(`rows that meet what was made of them, ${name}: as if they were read from another topic (seed ${seed})`, async () => {
    const random = seeded(seed);
    const run = async (right: StreamFrame, topics: readonly string[], partitions: number) => {
      const tested = driver(meeting(phones, right), { partitions, schemas: SCHEMAS });
      for (let at = 0; at < records.length; ) {
        const size = 1 + Math.floor(random() * 40);
        for (const topicName of topics) await tested.feed(topicName, records.slice(at, at + size));
        at += size;
      }
      const live = tested.rows().height;
      await tested.end();
      const rows = [tested.rows(), await tested.openRows()].flatMap((frame) => frame.toRecords());
      return { live, rows: rows.map((row) => JSON.stringify(row, shown)).sort() };
    };
    for (const partitions of [1, 2]) {
      const wanted = await run(tablets, ["phones", "tablets"], partitions);
      const own = await run(phones, ["phones"], partitions);
      assert.match(meeting(phones, phones).explain(), /read again: topic phones/);
      assert.deepEqual(own.rows, wanted.rows, `${partitions} partitions`);
      assert.ok(own.live > wanted.rows.length / 2, `${own.live} of ${wanted.rows.length} rows while the topic goes on`);
    }
  });

test("so do two programs that would wait for each other only together", async () => {
  const programs = [
    phones.select("n").concat(tablets.select("n")),
    phones.keyBy("j").keyBy("device").select("n").concat(tablets.select("n")),
  ];
  const tested = driver(programs, { partitions: 2, schemas: SCHEMAS });
  for (let at = 0; at < records.length; at += 10)
    for (const topicName of ["phones", "tablets"]) await tested.feed(topicName, records.slice(at, at + 10));
  for (const program of programs) assert.ok(tested.rows(program).height > 150);
  await tested.end();
  for (const program of programs) assert.equal(tested.rows(program).height, 200);
});

function shown(name: string, value: unknown): unknown {
  if (name.startsWith("_") || name === "window_start" || name === "window_end") return undefined;
  return typeof value === "bigint" ? String(value) : value;
}
