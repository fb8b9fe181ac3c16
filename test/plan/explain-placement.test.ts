import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../lib/error.ts";
import type { StreamFrame } from "../../lib/frame/stream-frame.ts";
import { table } from "../../lib/frame/table.ts";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { inOwnOrders } from "../../lib/operators/reading-order.ts";
import { planKey } from "../../lib/plan/content-key.ts";
import { inputsOf, nodesOf, sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";
import { placedAnew } from "../../lib/plan/placement.ts";
import { print } from "../../lib/plan/print.ts";
import { rowsSchema } from "../../lib/run/source/index.ts";
import { Dice } from "../operators/fuzz/dice.ts";
import { wholeProgram } from "../operators/fuzz/whole-programs.ts";
import { newSeed } from "../support/seeded.ts";

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

const beside = topic("tablets", { key: "device", time: "t", schema });
const near = (left: StreamFrame, right: StreamFrame, on: string) => left.join(right, { on, within: "1s" });
const owners = table("owners", { key: "device", schema: { device: "Utf8", owner: "Utf8" } });

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
  "placed by two columns, then kept by one of them": [total(total(phones, "room", "t"), "room"), 2],
  "two states with a key in common": [
    phones.withColumns(
      pl.col("x").cumSum().over("room", "device").alias("a"),
      pl.col("x").cumMax().over("room").alias("b"),
    ),
    1,
  ],
  "code by another key": [phones.process({ by: "room", state: 0, schema: { n: "Int64" }, onRow() {} }), 1],
  "a join by the key": [near(phones, beside.select("device", "x"), "device"), 0],
  "a join by another key": [near(phones, beside.select("room", "device"), "room"), 2],
  "a join of which one side is placed": [near(phones.keyBy("room"), beside.select("room", "x"), "room"), 1],
  "an as of join by another key": [phones.joinAsof(beside.select("room", "t", "x"), { by: "room" }), 2],
  "a table for rows placed by another key": [total(phones, "room").join(owners, { on: "device", history: "1s" }), 2],
  "state over a join": [total(near(phones, beside.select("device"), "device"), "device"), 0],
  "a concat of rows that are placed alike": [total(phones.concat(beside), "device"), 0],
  "a concat of rows that are not": [total(phones.keyBy("room").concat(beside), "device"), 1],
};

for (const [name, [frame, times]] of Object.entries(PROGRAMS))
  test(`explain says where rows are placed anew, as it is done: ${name}`, () => {
    assert.deepEqual(
      [said(frame), done(frame)],
      [
        { placed: times, again: 0 },
        { placed: times, again: 0 },
      ],
    );
    assert.match(frame.explain({ as: "mermaid" }), times > 0 ? /placed anew/ : /^(?![\s\S]*placed anew)/);
  });

/** What of it is true: how often the compiled plan places rows anew without a `keyBy`, and how many sources it adds. */
function done({ node }: StreamFrame) {
  const sources = sourcesOf([node]);
  const schemas = new Map(sources.map((source) => [source.id, rowsSchema(source, source.schema!)]));
  const own = inOwnOrders([node], schemas);
  const compiled = compile(own.terminals, own.schemas);
  return {
    placed: compiled.repartitions.filter(({ node }) => !node.named && !node.everywhere).length,
    again: compiled.sources.length - schemas.size,
  };
}

function said(frame: StreamFrame) {
  const text = frame.explain();
  const count = (line: RegExp) => text.match(line)?.length ?? 0;
  return { placed: count(/^ *placed anew: .* first, in the order/gm), again: count(/^ *read again: topic /gm) };
}

test("explain says where a topic is read again, because rows would wait for what is made of them", () => {
  const byRoom = windows(phones, "room").select("room", "n", pl.col("room").alias("device"));
  const again = phones.select("device", "t").joinAsof(byRoom, { by: "device" });
  assert.deepEqual([said(again).again, done(again).again], [1, 1]);
  assert.match(again.explain(), /read again: topic phones, for the other side/);
  const others = beside.select("device", "t").joinAsof(byRoom, { by: "device" });
  assert.deepEqual([said(others).again, done(others).again], [0, 0]);
});

test("so it is of random programs", (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  let [refused, placed] = [0, 0];
  for (let i = 0; i < 150; i++) {
    let program: ReturnType<typeof wholeProgram>;
    let compiled: ReturnType<typeof done>;
    try {
      program = wholeProgram(new Dice(seed + i));
      compiled = done(program.frame);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused++;
      continue;
    }
    const what = `seed ${seed + i}:\n${program.text}\n${program.frame.explain()}`;
    const told = said(program.frame);
    assert.equal(told.again, compiled.again, what);
    // what two verbs need alike is done once, and what is read again is placed again
    if (told.again === 0) assert.equal(distinctPlacements(program.frame), compiled.placed, what);
    assert.equal(told.placed > 0, compiled.placed > 0, what);
    placed += compiled.placed;
  }
  assert.ok(refused < 90 && placed > 50, `${refused} refused, placed anew ${placed} times`);
});

function distinctPlacements({ node }: StreamFrame): number {
  const places = nodesOf([node]).flatMap((each) =>
    placedAnew(each).map((keys, i) => keys && `${planKey(inputsOf(each)[i]!)} by ${keys.map(print)}`),
  );
  return new Set(places.filter((place) => place !== undefined)).size;
}

test("explain says what is waited for", () => {
  const several = topic(["a", "b"], { idle: "5s" }).explain();
  assert.match(several, /read in the order of event time, each waiting for the others/);
  assert.match(several, /quiet for 5s of the wall clock/);
  assert.doesNotMatch(phones.explain(), /waiting|quiet/);
});
