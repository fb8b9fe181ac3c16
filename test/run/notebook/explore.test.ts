import assert from "node:assert/strict";
import { test } from "node:test";
import { pl, topic } from "../../../lib/index.ts";
import { newSeed, seeded } from "../../support/seeded.ts";
import { testTopics } from "./topics.ts";

const { create, write } = await testTopics();
const START = 1_700_000_000_000;

test("lateness: what each grace would lose is what windows of that grace call late", async (t) => {
  const seed = newSeed();
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  const name = await create("lateness", 3);
  await write(
    name,
    Array.from({ length: 600 }, (_, i) => {
      const behind = random() < 0.2 ? random() * 5000 : random() * 40;
      const at = START + i * 20 - Math.floor(behind);
      return { key: `s${i % 7}`, value: JSON.stringify({ at, v: i }), timestamp: START };
    }),
  );
  const sensor = topic(name, { key: "sensor", time: "at" });
  // a filter above the windows changes neither watermarks nor lateness
  const table = await sensor.filter(pl.col("v").gtEq(0)).lateness({ every: "1s" });
  assert.deepEqual(table.columns, ["topic", "grace", "rows", "late", "share", "longest"]);
  const graces = table.getColumn("grace").toArray() as string[];
  assert.deepEqual(graces.slice(0, 4), ["0s", "100ms", "200ms", "500ms"]);
  for (const [i, grace] of graces.entries()) {
    const windows = sensor
      .groupByDynamic({ indexColumn: "at", every: "1s", by: "sensor", grace })
      .agg(pl.len().alias("n"));
    assert.equal(Number(table.getColumn("late").get(i)), (await windows.late().collect()).height, grace);
  }
  assert.equal(Number(table.getColumn("late").get(graces.length - 1)), 0, "until none is late");
  assert.deepEqual(
    (await sensor.lateness({ grace: ["1h"] })).toRecords().map(({ late, share }) => [Number(late), share]),
    [[0, 0]],
  );
  await assert.rejects(sensor.lateness({ grace: ["soon"] }), /BAD_DURATION|not a duration/);
});

test("lateness of a topic without records", async () => {
  const name = await create("lateness-empty", 1);
  const empty = topic(name, { key: "k", schema: { v: "Int64" } });
  assert.deepEqual(
    (await empty.lateness()).toRecords().map(({ grace, late }) => [grace, Number(late)]),
    [["0s", 0]],
  );
});

test("profile: a row per column", async () => {
  const name = await create("profile", 2);
  const values = [
    { at: 1_700_000_000_000, x: 1.5, label: "a", tags: ["p"] },
    { at: 1_700_000_001_000, x: -2, label: "ü", tags: [] },
    { at: 1_700_000_002_000, x: null, label: "a", tags: ["p", "q"] },
    { at: 1_700_000_002_000, x: 4, label: "a" },
  ];
  await write(
    name,
    values.map((value, i) => ({ key: i < 3 ? "k1" : "k2", value: JSON.stringify(value), timestamp: START })),
  );
  const rows = (await topic(name, { key: "device", time: "at" }).profile()).toRecords();
  const of = (column: string) => {
    const {
      rows: count,
      nulls,
      distinct,
      min,
      max,
      mean,
      top,
      top_share,
      per_second,
    } = rows.find((row) => row.column === column)!;
    return [count, nulls, distinct === null ? null : Number(distinct), min, max, mean, top, top_share, per_second].map(
      (cell) => (typeof cell === "bigint" ? Number(cell) : cell),
    );
  };
  assert.deepEqual(
    rows.map(({ dtype }) => dtype),
    ["Utf8", "Datetime(ms)", "Float64", "Utf8", "List(Utf8)"],
  );
  assert.deepEqual(of("device"), [4, 0, 2, "k1", "k2", null, "k1", 0.75, 2]);
  assert.deepEqual(of("x"), [4, 1, 3, "-2", "4", 3.5 / 3, "-2", 0.25, 1.5]);
  assert.deepEqual(of("label").slice(1, 5), [0, 2, "a", "ü"]);
  assert.deepEqual(of("at").slice(2, 5), [3, "2023-11-14T22:13:20.000Z", "2023-11-14T22:13:22.000Z"]);
  assert.deepEqual(of("tags").slice(1, 4), [1, null, null]);
});
