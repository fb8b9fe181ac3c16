import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";
import { rowsSchema } from "../../lib/run/source/index.ts";

const schema = { device: "Utf8", t: "Datetime(ms)", x: "Float64", room: "Utf8" };
const phones = topic("phones", { key: "device", time: "t", schema });
const total = (frame: StreamFrame, ...keys: [string, ...string[]]) =>
  frame.withColumns(
    pl
      .col("x")
      .cumSum()
      .over(...keys)
      .alias("total"),
  );
const windows = (frame: StreamFrame, by: string | string[]) =>
  frame.groupByDynamic({ indexColumn: "t", every: "1s", by }).agg(pl.len().alias("n"));

/** Programs, and how often their rows are placed anew. */
const PROGRAMS: Readonly<Record<string, readonly [StreamFrame, number]>> = {
  "the record key": [total(phones, "device"), 0],
  "the record key among others": [total(phones, "room", "device"), 0],
  "its metadata column": [total(phones, "_key"), 0],
  "another key": [total(phones, "room"), 1],
  "another key, twice": [total(total(phones, "room"), "room"), 1],
  "another key, and back": [total(total(phones, "room"), "device"), 2],
  "the key under another name": [total(phones.rename({ device: "id" }), "id"), 0],
  "the key beside a copy of it": [total(phones.withColumns(pl.col("device").alias("id")), "id"), 0],
  "a column that took the key's name": [total(phones.withColumns(pl.col("room").alias("device")), "device"), 1],
  "a computed column of the key's name": [total(phones.withColumns(pl.col("device").str.slice(0, 1)), "device"), 1],
  "the key taken along by a pattern": [total(phones.select(pl.all().exclude("room")), "device"), 0],
  "windows without a key": [windows(phones, []), 1],
  "windows by another key": [windows(phones, "room"), 1],
  "windows by the key": [windows(phones, ["device", "room"]), 0],
  "unique without the key": [phones.unique({ subset: "room", within: "1h" }), 1],
  "placed by hand": [total(phones.keyBy("room"), "room"), 0],
};

for (const [name, [frame, times]] of Object.entries(PROGRAMS))
  test(`explain says where rows are placed anew, as it is done: ${name}`, () => {
    const told = frame.explain().match(/^ *placed anew: /gm)?.length ?? 0;
    assert.equal(told, times, frame.explain());
    const [source] = sourcesOf([frame.node]);
    const { repartitions } = compile([frame.node], new Map([[source!.id, rowsSchema(source!, schema)]]));
    assert.equal(repartitions.filter(({ node }) => !node.named).length, times);
    assert.match(frame.explain({ as: "mermaid" }), times > 0 ? /placed anew/ : /^(?![\s\S]*placed anew)/);
  });

test("explain says what is waited for", () => {
  const several = topic(["a", "b"], { idle: "5s" }).explain();
  assert.match(several, /read in the order of event time, each waiting for the others/);
  assert.match(several, /quiet for 5s of the wall clock/);
  assert.doesNotMatch(phones.explain(), /waiting|quiet/);
});
