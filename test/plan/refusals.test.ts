import assert from "node:assert/strict";
import { test } from "node:test";
import polars from "nodejs-polars";
import { Refusal } from "../../lib/error.ts";
import { topic } from "../../lib/frame/topic.ts";
import { compile } from "../../lib/operators/program.ts";
import { sourcesOf } from "../../lib/plan/nodes/plan-node.ts";
import { pl } from "../../lib/plan/pl.ts";

const phones = topic("phones", { key: "device", time: "t" });
const x = pl.col("x");
const SCHEMA = { device: "Utf8", t: "Datetime(ms)", x: "Float64", s: "Utf8" };

function refusal(run: () => unknown): Refusal {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Refusal, `not a refusal: ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

const rowByRow: readonly [string, () => polars.Expr, RegExp, RegExp?][] = [
  [
    "whole-column mean",
    () => x.mean(),
    /pl\.col\("x"\)\.mean\(\) has no exact meaning.*no end/,
    /groupByDynamic\(.*by: "device"/,
  ],
  ["an aggregate over a key", () => x.sum().over("device"), /have not arrived yet/, /cumSum/],
  [
    "shift without a key",
    () => x.shift(1),
    /rows before it are those of other keys/,
    /pl\.col\("x"\)\.shift\(1\)\.over\("device"\)/,
  ],
  ["look-ahead", () => x.shift(-1).over("device"), /have not arrived yet/, /shift\(1\)\.over\("device"\)/],
  ["diff that drops", () => x.diff(1, "drop").over("device"), /leaves rows out/, /diff\(1, "ignore"\)/],
  ["a centred window", () => x.rollingMean({ windowSize: 3, center: true } as never).over("device"), /centred/],
  ["backward fill", () => x.backwardFill().over("device"), /have not arrived yet/, /forwardFill/],
  ["sort", () => x.sort(), /no end/],
  ["rank", () => x.rank(), /no end/],
  ["chance", () => x.shuffle(1), /other values every time/],
  ["hash", () => x.hash(), /differ between machines/],
  ["explode", () => pl.col("l").explode(), /another number of rows/],
  ["filter inside an expression", () => x.filter(x.gt(0)), /leaves values out/, /\.filter\(/],
  ["reversed accumulation", () => x.cumSum(true).over("device"), /have not arrived yet/, /cumSum\(\)/],
  [
    "rows before what is one value for a key",
    () => x.first().plus(1).shift(2).over("device"),
    /one value for a key/,
    /pl\.col\("x"\)\.first\(\)\.plus\(1\)\.over\("device"\)/,
  ],
  ["a sum of what is one value for a key", () => x.cumSum().first().list.eval(x).cumSum().over("device"), /for a key/],
  ["keys inside keys", () => x.shift(1).over("device").cumSum().over("device"), /no keys inside keys/],
  ["membership in a column", () => x.isIn(pl.col("y")), /membership/],
  ["rows of its own", () => pl.intRange(0, 5), /rows of its own/],
  ["a column of literals", () => pl.lit([1, 2, 3] as never), /column of its own/],
  ["the number of all rows", () => pl.len(), /no end/],
  ["strptime that guesses", () => pl.col("s").str.strptime(pl.Date), /guesses/, /%Y/],
];

for (const [name, build, what, remedy] of rowByRow)
  test(`refused in the cell that writes it: ${name}`, () => {
    const error = refusal(() => phones.withColumns(build().alias("z")));
    assert.equal(error.code, "NO_EXACT_STREAMING_MEANING");
    assert.match(error.what, what);
    if (remedy) assert.match(error.remedies.join("\n"), remedy);
  });

const aggregates: readonly [string, () => polars.Expr, RegExp][] = [
  ["other keys within a window", () => x.sum().over("s"), /by other keys/],
  ["chance within a window", () => x.shuffle(1).first(), /other values every time/],
  ["hashes within a window", () => x.hash().sum(), /differ between machines/],
  ["an order that is left open", () => x.valueCounts(), /another number of rows/],
];

for (const [name, build, what] of aggregates)
  test(`refused in agg: ${name}`, () => {
    const windows = phones.groupByDynamic({ indexColumn: "t", every: "1s", by: "device" });
    const error = refusal(() => windows.agg(build().alias("z")));
    assert.equal(error.code, "NO_EXACT_STREAMING_MEANING");
    assert.match(error.what, what);
  });

test("an expression of another pl whose serialisation does not tell all is refused by name", () => {
  const error = refusal(() => phones.withColumns(polars.col("s").str.toUpperCase()));
  assert.equal(error.code, "FOREIGN_EXPRESSION");
  assert.match(error.remedies[0]!, /import \{ pl \} from "millrace"/);
});

const compiled = (frame: { node: Parameters<typeof sourcesOf>[0][number] }, schema = SCHEMA) =>
  compile([frame.node], new Map([[sourcesOf([frame.node])[0]!.id, schema]]));
const updates = phones
  .groupByDynamic({ indexColumn: "t", every: "1s", by: "device", emit: "update" })
  .agg(pl.len().alias("n"));
const late: readonly [string, () => unknown, string, RegExp][] = [
  ["an unknown column", () => compiled(phones.select(pl.col("devise"))), "UNKNOWN_COLUMN", /did you mean "device"/],
  ["what Polars refuses", () => compiled(phones.withColumns(pl.col("s").dt.hour())), "NOT_VALID_IN_POLARS", /./],
  ["two columns of one name", () => compiled(phones.select("x", pl.col("s").alias("x"))), "DUPLICATE_COLUMN", /alias/],
  ["a filter that is no condition", () => compiled(phones.filter(x.abs())), "NOT_A_CONDITION", /gt/],
  ["metadata replaced", () => compiled(phones.withColumns(x.alias("_time"))), "METADATA_COLUMN", /alias/],
  [
    "two keys at once, of which neither is the record key",
    () => compiled(topic("k").withColumns(x.shift(1).over("s").alias("p"), x.shift(1).over("x").alias("q"))),
    "NEEDS_REPARTITION",
    /withColumns of its own/,
  ],
  [
    "windows of what is not event time",
    () => compiled(phones.groupByDynamic({ indexColumn: "x", every: "1s", by: "device" }).agg(pl.len())),
    "NOT_EVENT_TIME",
    /indexColumn: "t"/,
  ],
  ["explode of no list", () => compiled(phones.explode("x")), "NOT_A_LIST", /list/],
  ["explode of no column", () => phones.explode(), "BAD_OPTION", /items/],
  ["unnest of no struct", () => compiled(phones.unnest("x")), "NOT_A_STRUCT", /unnest/],
  [
    "a field that is a column already",
    () => compiled(phones.withColumns(pl.struct([x]).alias("st")).unnest("st")),
    "DUPLICATE_COLUMN",
    /rename/,
  ],
  [
    "a filter over updates",
    () => compiled(updates.filter(pl.col("n").gt(2))),
    "NO_EXACT_STREAMING_MEANING",
    /emit: "close"/,
  ],
  [
    "state over updates",
    () => compiled(updates.withColumns(pl.col("n").shift(1).over("device").alias("p"))),
    "NO_EXACT_STREAMING_MEANING",
    /emit: "close"/,
  ],
  [
    "a running aggregate that keeps every row",
    () => compiled(phones.groupBy("device").agg(x.median())),
    "UNBOUNDED_ROWS",
    /groupByDynamic/,
  ],
  [
    "a filter over running groups",
    () => compiled(phones.groupBy("device").agg(x.sum()).filter(x.gt(2))),
    "NO_EXACT_STREAMING_MEANING",
    /delete/,
  ],
  ["unique without columns", () => phones.unique({} as never), "NO_SUBSET", /subset/],
  [
    "the last of equal rows",
    () => phones.unique({ subset: ["device"], keep: "last" as never }),
    "NO_EXACT_STREAMING_MEANING",
    /groupBy/,
  ],
  ["late rows of what has no windows", () => phones.late(), "NO_WINDOWS", /groupByDynamic/],
  [
    "windows of a month and a day",
    () => phones.groupByDynamic({ indexColumn: "t", every: "1mo1d", by: "device" }),
    "BAD_DURATION",
    /"1mo"/,
  ],
  [
    "an unknown time zone",
    () => phones.groupByDynamic({ indexColumn: "t", every: "1d", timeZone: "Europe/Atlantis" }),
    "BAD_TIME_ZONE",
    /IANA/,
  ],
  [
    "hours of a time zone",
    () => phones.groupByDynamic({ indexColumn: "t", every: "1h", timeZone: "Asia/Kolkata" }),
    "BAD_DURATION",
    /leave timeZone out/,
  ],
  [
    "an option that is not there",
    () => phones.groupByDynamic({ indexColumn: "t", every: "1s", until: "5s" } as never),
    "BAD_OPTION",
    /options are/,
  ],
  ["half a row", () => phones.groupByCount({ by: "device", every: 1.5 }), "BAD_OPTION", /whole number/],
  ["a session without a gap", () => phones.groupBySession({ by: "device", gap: "0s" }), "BAD_DURATION", /./],
  [
    "a rolling window of what is not event time",
    () => compiled(phones.groupByRolling({ indexColumn: "x", by: "device", period: "1s" }).agg(pl.len())),
    "NOT_EVENT_TIME",
    /"t"/,
  ],
  ["a sink without its key", () => compiled(phones.select("x").to("out", { key: "device" })), "UNKNOWN_COLUMN", /"x"/],
];

for (const [name, build, code, remedy] of late)
  test(`refused: ${name}`, () => {
    const error = refusal(build);
    assert.equal(error.code, code);
    assert.match(error.remedies.join("\n"), remedy);
  });

test("the key may be renamed, named anew, or be its metadata", () => {
  const key = (frame: Parameters<typeof compiled>[0]) => assert.ok(compiled(frame).stores.length > 1);
  key(phones.rename({ device: "id" }).withColumns(x.shift(1).over("id").alias("p")));
  key(phones.select(pl.col("device").alias("id"), "x").withColumns(x.shift(1).over("id").alias("p")));
  key(phones.withColumns(x.shift(1).over("_key").alias("p")));
  key(phones.withColumns(x.shift(1).over("s", "device").alias("p")));
});
