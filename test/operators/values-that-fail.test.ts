import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { pl } from "../../lib/plan/pl.ts";
import { driver } from "../../lib/test/driver.ts";

const phones = topic("phones", { key: "device", time: "t" });
const strict = pl.col("s").cast(pl.Int64, true);
const records = ["1", "x", "5", "y", "7", "z", "70"].map((s, i) => ({ device: "a", t: i, s }));

/** Programs with an expression that Polars throws for, and what they give of the records that it can compute. */
const PROGRAMS: Readonly<Record<string, readonly [StreamFrame, readonly (number | null)[]]>> = {
  "row by row": [phones.withColumns(strict.alias("v")).filter(pl.col("v").gt(1)), [5, 7, 70]],
  "accumulated per key": [phones.withColumns(strict.cumSum().over("device").alias("v")), [1, 6, 13, 83]],
  "looking back per key": [phones.withColumns(strict.rollingSum(2).over("device").alias("v")), [null, 6, 12, 77]],
};

for (const [name, [frame, expected]] of Object.entries(PROGRAMS))
  for (const size of [1, 3, 7])
    test(`${name}: a record whose value an expression throws for is a bad one, in batches of ${size}`, async () => {
      const run = driver(frame, { schemas: { phones: { device: "Utf8", t: "Int64", s: "Utf8" } } });
      for (let at = 0; at < records.length; at += size) await run.feed(records.slice(at, at + size));
      assert.deepEqual(run.rows().getColumn("v").toArray(), expected);
      assert.deepEqual(
        run.bad.map(({ offset }) => offset),
        [1, 3, 5],
      );
      assert.match(run.bad[0]!.reason, /^expression: conversion from `str` to `i64` failed .*"x"/);
    });

test("an aggregate that throws stops the program with a code", async () => {
  const run = driver(phones.groupByCount({ every: 2, by: "device" }).agg(strict.sum()));
  await assert.rejects(run.feed(records), { code: "EXPRESSION_FAILED" });
});
