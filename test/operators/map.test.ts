import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { pl } from "../../lib/plan/pl.ts";
import { schemaOf } from "../../lib/schema.ts";
import { driver } from "../../lib/test/driver.ts";
import { frameOf, rows, runs, SCHEMA, seed, splits } from "./random-rows.ts";
import { asSource, assertFramesEqual, compileFrame, memoryStores, run, values } from "./run-program.ts";

const phones = topic("phones", { key: "device", time: "t" });
const all = { x: "Float64", i: "Int64", j: "Int32", s: "Utf8", b: "Boolean", d: "Datetime(ms)" } as const;

test(`map over columns gives what went in, nulls and NaN included, however rows are split (seed ${seed})`, async () => {
  const copy = phones.map((row) => ({ x: row.x, i: row.i, j: row.j, s: row.s, b: row.b, d: row.d }), {
    schema: all,
    keep: ["device", "t"],
  });
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const frame = frameOf(list);
      const actual = await run(copy, frame, { splits: sizes });
      assertFramesEqual(values(actual.rows), frame.select("device", "t", ...Object.keys(all)));
    }),
    { seed, numRuns: runs(15) },
  );
});

test(`map equals the expression that computes the same (seed ${seed})`, async () => {
  const mapped = phones.map((row) => ({ z: row.x === null || row.y === null ? null : row.x + 2 * row.y }), {
    schema: { z: "Float64" },
    keep: true,
  });
  const delta = mapped.withColumns(pl.col("z").diff(1, "ignore").over("device").alias("delta"));
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const frame = frameOf(list);
      const z = polars
        .col("x")
        .plus(polars.col("y").multiplyBy(polars.lit(2)))
        .alias("z");
      const expected = frame
        .withColumns(z)
        .withColumns(polars.col("z").diff(1, "ignore").over("device").alias("delta"));
      assertFramesEqual(values((await run(delta, frame, { splits: sizes })).rows), expected);
    }),
    { seed, numRuns: runs(15) },
  );
});

test(`flatMap equals explode (seed ${seed})`, async () => {
  const words = phones.flatMap((row) => (row.s === null ? [] : row.s.split("a").map((word: string) => ({ word }))), {
    schema: { word: "Utf8" },
    keep: ["device"],
  });
  await fc.assert(
    fc.asyncProperty(rows(40), splits, async (list, sizes) => {
      const frame = frameOf(list);
      const expected = frame
        .filter(polars.col("s").isNotNull())
        .select(polars.col("device"), polars.col("s").str.split("a").alias("word"))
        .explode("word");
      assertFramesEqual(values((await run(words, frame, { splits: sizes })).rows), expected);
    }),
    { seed, numRuns: runs(15) },
  );
});

const nested = polars
  .DataFrame({
    device: ["a", "a", "b"],
    t: [1, 2, 3],
    json: ['{"l":[1,2],"n":{"at":5}}', '{"l":[],"n":{"at":null}}', null],
  })
  .withColumns(
    polars.col("t").cast(polars.Int64).cast(polars.Datetime("ms")),
    polars
      .col("json")
      .str.jsonDecode(polars.Struct({ l: polars.List(polars.Float64), n: polars.Struct({ at: polars.Int64 }) }))
      .alias("v"),
  )
  .drop("json");

test("lists and structs are arrays and objects, both ways", async () => {
  const seen: unknown[] = [];
  const frame = phones.map(
    (row) => {
      seen.push(row.v);
      return {
        list: row.v?.l ?? null,
        struct: row.v === null ? null : { at: row.v.n.at === null ? null : new Date(row.v.n.at), size: row.v.l.length },
      };
    },
    { schema: { list: "List(Float64)", struct: "Struct{at:Datetime(ms),size:Int32}" } },
  );
  const made = await run(frame, nested);
  assert.deepEqual(seen, [{ l: [1, 2], n: { at: 5 } }, { l: [], n: { at: null } }, null]);
  const text = values(made.rows)
    .select(
      pl.col("list").list.lengths().alias("length"),
      pl.col("struct").struct.field("size"),
      pl.col("struct").struct.field("at").cast(pl.Int64),
    )
    .toRecords();
  assert.deepEqual(text, [
    { length: 2, size: 2, at: 5 },
    { length: 0, size: 0, at: null },
    { length: null, size: null, at: null },
  ]);
});

/** Runs rows with offsets 100, 101, … and gives values and bad rows. */
async function bad(frame: Parameters<typeof compileFrame>[0], rows: polars.DataFrame) {
  const program = compileFrame(frame, schemaOf(rows));
  const task = await program.open(memoryStores());
  const offsets = polars.Series(
    "_offset",
    Float64Array.from({ length: rows.height }, (_, i) => 100 + i),
  );
  const input = asSource(rows)
    .drop("_offset")
    .hstack([offsets.cast(polars.Int64)]) as unknown as polars.DataFrame;
  const result = await task.process(new Map([[program.sources[0]!.id, input]]));
  return {
    rows: result.rows.flatMap(({ frame }) => values(frame).toRecords()),
    bad: result.bad.map(({ offset, reason }) => `${offset} ${reason}`),
  };
}

const numbers = polars
  .DataFrame({ device: ["a", "b", "c"], t: [1, 2, 3], n: ["1", "9007199254740993", "3"] })
  .withColumns(polars.col("t").cast(polars.Int64).cast(polars.Datetime("ms")), polars.col("n").cast(polars.Int64));

test("a record for which code throws, or gives what does not fit, is bad with its offset and reason; the others go on", async () => {
  const schema = { n: "Int32" } as const;
  assert.deepEqual(
    await bad(
      phones.map((row) => ({ n: 7 * row.n }), { schema }),
      numbers,
    ),
    {
      rows: [{ n: 7 }, { n: 21 }],
      bad: ['101 map: RangeError: the integer in "n" is too large for a number: cast it to Utf8 before'],
    },
  );
  const wrong: readonly [(row: any) => any, string][] = [
    [() => ({ n: 1.5 }), '100 map: TypeError: "n" is 1.5, not Int32'],
    [() => ({ n: "1" }), '100 map: TypeError: "n" is "1", not Int32'],
    [() => ({ m: 1 }), '100 map: TypeError: it gave nothing for "n" (write null for no value)'],
    [() => ({ n: 1, m: 1 }), '100 map: TypeError: it gave "m", which the schema does not name'],
    [() => null, "100 map: TypeError: it gave null, not a row of columns"],
    [
      (row) => {
        row.n = 2;
        return { n: 1 };
      },
      "100 map: TypeError: Cannot set property n of #<Object> which has only a getter",
    ],
    [
      (row) => {
        throw new Error(`no ${row.device}`);
      },
      "100 map: no a",
    ],
  ];
  for (const [fn, reason] of wrong) {
    const result = await bad(phones.map(fn, { schema }), numbers);
    assert.equal(result.bad[0], reason);
    assert.deepEqual(result.rows, []);
  }
  const half = phones.flatMap((row) => [{ n: 1 }, { n: row.device === "b" ? "two" : 2 }] as any, {
    schema,
    keep: ["device"],
  });
  assert.deepEqual(await bad(half, numbers), {
    rows: [
      { device: "a", n: 1 },
      { device: "a", n: 2 },
      { device: "c", n: 1 },
      { device: "c", n: 2 },
    ],
    bad: ['101 flatMap: TypeError: "n" is "two", not Int32'],
  });
});

test("a row can be spread, has metadata by name, and reads null as null", async () => {
  const frame = phones.map((row) => ({ ...row, key: row._key, at: row._offset }), {
    schema: { device: "Utf8", t: "Datetime(ms)", n: "Float64", key: "Utf8", at: "Int64" },
  });
  const rows = numbers.withColumns(polars.lit(null).cast(polars.Float64).alias("n"));
  const result = await bad(frame, rows);
  assert.deepEqual(result.rows[1], { device: "b", t: new Date(2), n: null, key: "b", at: 101 });
});

const refused: readonly [string, () => unknown, string][] = [
  ["no schema", () => phones.map((row) => row, undefined as any), "NO_SCHEMA"],
  ["a dtype that code cannot give", () => phones.map(() => ({ c: 1 }), { schema: { c: "Categorical" } }), "BAD_SCHEMA"],
  ["an unknown dtype", () => phones.map(() => ({ c: 1 }), { schema: { c: "Number" } }), "UNKNOWN_DTYPE"],
  [
    "an async function",
    () => phones.map((async () => ({ x: 1 })) as any, { schema: { x: "Float64" } }),
    "ASYNC_FUNCTION",
  ],
  ["a built-in", () => phones.map(Math.abs as any, { schema: { x: "Float64" } }), "NO_SOURCE_TEXT"],
  ["another option", () => phones.map(() => ({ x: 1 }), { schema: { x: "Float64" }, by: "x" } as any), "BAD_OPTION"],
];
for (const [what, build, code] of refused)
  test(`map refuses ${what}`, () => {
    assert.throws(build, (error: any) => error.code === code);
  });

test("functions of equal text are one in the fingerprint, and two where they hold other values", async () => {
  const above = (limit: number) => phones.map((row) => ({ over: row.x > limit }), { schema: { over: "Boolean" } });
  const frame = frameOf([{ device: "a", t: 0, x: 1.5, y: 0, i: 0, j: 0, s: "", b: true, d: 0 }]);
  const schemas = new Map([[(above(0).node as any).input.id, SCHEMA]]);
  const program = compile([above(1).node, above(2).node], schemas);
  const task = await program.open(memoryStores());
  const { rows: made } = await task.process(new Map([[program.sources[0]!.id, asSource(frame)]]));
  assert.deepEqual(
    made.map(({ frame }) => frame.getColumn("over").toArray()[0]),
    [true, false],
  );
  const print = (terminal: { node: any }) => compile([terminal.node], schemas).fingerprint;
  assert.equal(print(above(1)), print(above(2)));
  assert.notEqual(print(above(1)), print(phones.map(() => ({ over: true }), { schema: { over: "Boolean" } })));
});

test("explain shows the code, and what in it cannot be repeated", () => {
  const frame = phones.map((row) => ({ lag: Date.now() - row.t }), { schema: { lag: "Float64" } });
  const text = frame.explain();
  assert.match(text, /map to lag Float64/);
  assert.match(text, /code: \(row\) => \(\{ lag: Date\.now\(\) - row\.t \}\)/);
  assert.match(text, /not repeatable: code uses Date\.now/);
});

test("a kept column of an empty name keeps it", async () => {
  const program = topic("odd", { key: "device", schema: { device: "Utf8", "": "Int64" } }).map((_row) => ({ n: 1 }), {
    schema: { n: "Int64" },
    keep: true,
  });
  const tested = driver(program);
  await tested.feed("odd", [{ device: "a", "": 7 }]);
  const [row] = tested.rows().toRecords();
  assert.deepEqual([Number(row![""]), Number(row!.n)], [7, 1]);
});
