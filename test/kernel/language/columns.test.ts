import assert from "node:assert/strict";
import path from "node:path";
import { suite, test } from "node:test";
import { CellLanguage } from "../../../kernel/language/cell-language.ts";

// a folder of the repository, so that `millrace` resolves
const language = new CellLanguage(path.resolve(import.meta.dirname, "../../../notebooks"));
const phone = { device: "Utf8", timestamp: "Datetime(ms)", gForceX: "Float64", gForceY: "Float64" };
const tables = "const known = topic('t', { schema: { a: 'Int64', b: 'Utf8' }, key: 'id' });";

language.compile("cell 1", 'import { concat, pl, param, table, topic } from "millrace";');
const [mention] = language.unknownTopics('const phone = topic("phones", { key: "device", time: "timestamp" });');
language.learnTopic(mention!, phone);
language.compile("cell 2", 'const phone = topic("phones", { key: "device", time: "timestamp" });');
language.learnFrames({ phone });
language.compile("cell 3", "let changing = phone; const opaque = JSON.parse('1');");
language.learnFrames({ changing: phone });

const completed = (marked: string) => {
  const at = [...marked.slice(0, marked.indexOf("|"))].length;
  const code = marked.replace("|", "");
  const { matches, cursorStart, cursorEnd, items } = language.complete(code, at);
  return { matches, replaced: [...code].slice(cursorStart, cursorEnd).join(""), items };
};

let cell = 3;
const problems = (source: string) => language.compile(`cell ${++cell}`, source).diagnostics;
const all = Object.keys(phone);

suite("columns complete", () => {
  for (const [marked, matches, replaced] of [
    ['phone.filter(pl.col("gF|"))', ["gForceX", "gForceY"], "gF"],
    ['phone.filter(pl.col("|', all, ""],
    ["phone.filter(pl.col('dev|ice').eq('a'))", ["device"], "device"],
    ['phone.select("|")', all, ""],
    ['phone.select("device", "ti|")', ["timestamp"], "ti"],
    ['phone.withColumns(pl.col("gForceX").diff(1, "ignore").over("d|"))', ["device"], "d"],
    ['phone.groupByDynamic({ indexColumn: "t|", every: "1s" })', ["timestamp"], "t"],
    ['phone.groupByDynamic({ indexColumn: "timestamp", every: "1s" }).agg(pl.col("gforcex|"))', ["gForceX"], "gforcex"],
    ['phone.plot({ x: "timestamp", y: ["gForceY", "g|"] })', ["gForceX", "gForceY"], "g"],
    ['phone.withColumns(pl.col("gForceX").abs().alias("size")).filter(pl.col("s|"))', ["size"], "s"],
    ['const own = phone.select(pl.col("gForceX").alias("x")); own.filter(pl.col("|"))', ["x"], ""],
    ['phone.map((row) => ({ n: row.gForce| }), { schema: { n: "Float64" } })', ["gForceX", "gForceY"], "gForce"],
    ['phone.map((row) => ({ n: row["dev|"] }), { schema: { n: "Utf8" } })', ["device"], "dev"],
    ['phone.flatMap(({ gForceY, ti| }) => [], { schema: { n: "Float64" } })', ["timestamp"], "ti"],
    ['phone.process({ by: "device", state: 0, schema: {}, onRow: (row) => row.| })', all, ""],
    [
      'phone.process({ by: "device", state: 0, schema: {}, onRow(row) { const { gForceX| } = row; } })',
      ["gForceX"],
      "gForceX",
    ],
    ['phone.plot({ kind: "heatmap", x: "timestamp", y: "device", z: "g|" })', ["gForceX", "gForceY"], "g"],
    ['phone.dropNulls("d|")', ["device"], "d"],
    ['phone.withColumnRenamed("t|", "at")', ["timestamp"], "t"],
    ['phone.withColumn(pl.col("gForceX").abs().alias("size")).filter(pl.col("s|"))', ["size"], "s"],
    ['phone.joinAsof(phone.rename({ device: "id" }), { byLeft: "device", byRight: "i|" })', ["id"], "i"],
    [
      'phone.map((row) => ({ n: 1 }), { schema: { n: "Float64" }, keep: ["device"] }).filter(pl.col("|"))',
      ["device", "n"],
      "",
    ],
    ['topic("t", { schema: { a: "Int64" } }).filter(pl.col("|"))', ["a"], ""],
    ['changing.filter(pl.col("gForceX|"))', ["gForceX"], "gForceX"],
  ] as const)
    test(marked, () => {
      const found = completed(marked);
      assert.deepEqual({ matches: found.matches, replaced: found.replaced }, { matches, replaced });
    });

  test("with their dtypes", () => {
    assert.deepEqual(completed('phone.filter(pl.col("gForceX|"))').items, [{ text: "gForceX", type: "Float64" }]);
  });

  test("other strings complete as before, or not at all", () => {
    assert.deepEqual(completed('phone.filter(pl.col("device").eq("d|"))').matches, []);
    assert.deepEqual(completed('console.log("d|")').matches, []);
    const timer = completed(
      'phone.process({ by: "device", state: 0, schema: {}, onRow() {}, onTimer: (timer) => timer.| })',
    );
    assert.deepEqual(timer.matches, ["name", "time", "wall"], "what onTimer is given is no row");
  });
});

suite("a misspelt column is an error before the cell runs", () => {
  for (const [source, at, said] of [
    ['phone.filter(pl.col("gForcX").gt(1))', [1, 21], 'there is no column "gForcX" here: did you mean "gForceX"?'],
    ['phone.select("devise")', [1, 14], 'did you mean "device"?'],
    ['phone\n  .withColumns(pl.col("gForceX").diff(1, "ignore").over("dvice").alias("d"))', [2, 57], '"device"?'],
    [
      'phone.withColumns(pl.lit(1).alias("one")).drop("gForceX").filter(pl.col("gForceX").gt(1))',
      [1, 73],
      '"gForceY"?',
    ],
    ['phone.rename({ gForceX: "x" }).select("gForceX")', [1, 39], '"gForceY"?'],
    ['phone.groupByDynamic({ indexColumn: "time", every: "1s" }).agg(pl.len())', [1, 37], '"time" here'],
    [
      'phone.groupByDynamic({ indexColumn: "timestamp", every: "1s", by: "device" }).agg(pl.len().alias("n")).filter(pl.col("m").gt(1))',
      [1, 118],
      '"n"?',
    ],
    ['phone.filter(pl.col("device").eq("a"))', [1, 34], 'for the text itself: pl.lit("a")'],
    ['phone.to("out", { key: "Device" })', [1, 24], '"device"?'],
    [`${tables}\nknown.filter(pl.col("c").gt(1))`, [2, 21], 'the columns are "a", "b", "id"'],
    [
      'phone.join(topic("u", { schema: { device: "Utf8", name: "Utf8" } }), { on: "devic", within: "1s" })',
      [1, 76],
      '"device"?',
    ],
    ['phone.map((row) => ({ n: row.gForcX }), { schema: { n: "Float64" } })', [1, 30], 'did you mean "gForceX"?'],
    ['phone.map((row) => ({ n: row["gForcX"] }), { schema: { n: "Float64" } })', [1, 30], '"gForceX"?'],
    ['phone.flatMap(({ devise, gForceX: x }) => [], { schema: { n: "Float64" } })', [1, 18], '"device"?'],
    [
      'phone.process({ by: "device", state: 0, schema: {}, onRow: (row, ctx) => {\n  const { gForceZ } = row;\n} })',
      [2, 11],
      'no column "gForceZ" here',
    ],
    ['phone.process({ by: "devise", state: 0, schema: {}, onRow: () => {} })', [1, 21], '"device"?'],
    ['phone.plot({ x: "timestamp", y: "device", z: "gforce" })', [1, 46], '"gForceX"?'],
    ['phone.rename({ gForcX: "x" })', [1, 16], '"gForceX"?'],
    ['phone.withColumnRenamed("gForcX", "x")', [1, 25], '"gForceX"?'],
    ['phone.withColumnRenamed("gForceX", "x").select("gForceX")', [1, 48], '"gForceY"?'],
    ['phone.dropNulls(["gForcX"])', [1, 18], '"gForceX"?'],
    ['await phone.trace({ devise: "a" })', [1, 21], '"device"?'],
    ['phone.joinAsof(phone.rename({ device: "id" }), { byLeft: "device", byRight: "ix" })', [1, 77], '"id"?'],
  ] as const)
    test(source, () => {
      const [first, ...more] = problems(source);
      assert.equal(more.length, 0);
      assert.equal(first?.code, "UNKNOWN_COLUMN");
      assert.deepEqual([first!.line, first!.column], at);
      assert.ok(first!.message.includes(said), first!.message);
    });
});

suite("nothing is said of columns that are right, or not known for certain", () => {
  for (const source of [
    'phone.filter(pl.col("gForceX").gt(1)).select("device", pl.col("_time"), pl.col("gForceX").alias("x")).filter(pl.col("x").gt(1))',
    'phone.select(pl.col("*"))',
    'phone.filter(pl.col("gForceX").gt("gForceY").and(pl.col("device").eq(pl.lit("a"))))',
    'phone.select(pl.col("^g.*$"))',
    'topic("not-sampled").filter(pl.col("anything").gt(1))',
    'changing.filter(pl.col("other").gt(1))',
    'function of(frame: typeof phone) { return frame.filter(pl.col("other").gt(1)) }',
    'const name = "x"; phone.withColumns(pl.lit(1).alias(name)).filter(pl.col("x").gt(1))',
    'phone.withColumns(pl.col("gForceX").suffix("_old")).filter(pl.col("gForceX_old").gt(1))',
    'phone.withColumns(pl.when(pl.col("gForceX").gt(1)).then(pl.lit(1)).otherwise(pl.lit(0)).alias("w")).select("w")',
    'phone.groupBySession({ by: "device", gap: "1s" }).agg(pl.len().alias("n")).select("device", "window_start", "n")',
    'phone.groupBy("device").agg(pl.len().alias("n")).select("device", "n")',
    'phone.groupByRolling({ indexColumn: "timestamp", by: "device", period: "10s" }).agg(pl.len().alias("n")).select("timestamp", "n")',
    `${tables.replace("known", "known2")}\nknown2.join(phone, { leftOn: "id", rightOn: "device", within: "1s" }).select("a", "gForceX")`,
    'phone.process({ by: "device", state: {}, schema: { n: "Int64" }, onRow: () => {} }).select("n", "device")',
    'phone.predict(() => [], { features: ["gForceX"], as: "crash" }).filter(pl.col("crash").gt(0))',
    'const again = phone; again.rename({ gForceX: "x" }).select("x", "device")',
    'concat(phone, phone).filter(pl.col("other").gt(0))',
    'phone.map((row) => ({ n: row.device + row._offset + row.toString() }), { schema: { n: "Utf8" } })',
    'phone.map((row) => [row].map((row: any) => row.other)[0], { schema: { n: "Utf8" } })',
    'phone.map((row) => ({ n: (row as any).other }), { schema: { n: "Utf8" } })',
    'phone.map(({ gForceX, other = 1, ...rest }) => ({ n: rest.other + other }), { schema: { n: "Float64" } })',
    'phone.process({ by: "device", state: 0, schema: {}, onRow() {}, onTimer: (timer, ctx) => { ctx.clearTimer(timer.name) } })',
    'topic("not-sampled").map((row) => ({ n: row.anything }), { schema: { n: "Float64" } })',
    'phone.withColumn(pl.lit(1).alias("one")).fillNull(0).dropNulls().select("one", "device")',
  ])
    test(source, () => assert.deepEqual(problems(source), []));
});

test("a topic is sampled where its name and options stand in the cell, and only once", () => {
  assert.deepEqual(
    language.unknownTopics(
      'topic("a"); topic(name); topic("b", { schema: {} }); topic("phones", { key: "device", time: "timestamp" })',
    ),
    [{ name: "a" }],
  );
  assert.deepEqual(language.unknownTopics('topic("a", { key: k })'), []);
});
