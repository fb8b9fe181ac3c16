import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type polars from "nodejs-polars";
import { topic } from "../../lib/frame/topic.ts";
import { METHOD_MEANINGS } from "../../lib/plan/analysis/method-meanings.ts";
import { splitStages } from "../../lib/plan/analysis/stages.ts";
import { pl } from "../../lib/plan/pl.ts";
import { treeOf } from "../../lib/plan/record.ts";
import { frameOf, rows, runs, seed, splits } from "./random-rows.ts";
import { assertFramesEqual, run, values } from "./run-program.ts";

const x = pl.col("x");
const y = pl.col("y");
const i = pl.col("i");
const s = pl.col("s");
const b = pl.col("b");
const d = pl.col("d");
const list = pl.concatList([x, y]);
const struct = pl.struct([x, s]);
const KEY = "device";

/** One program or more for every method that is not refused outside aggregates. */
const PROGRAMS: Readonly<Record<string, readonly polars.Expr[]>> = {
  abs: [x.abs(), i.abs()],
  alias: [x.alias("z")],
  as: [x.as("z")],
  arccos: [x.arccos()],
  arccosh: [x.arccosh()],
  arcsin: [x.arcsin()],
  arcsinh: [x.arcsinh()],
  arctan: [x.arctan()],
  arctan2: [x.arctan2(y)],
  arctanh: [x.arctanh()],
  ceil: [x.ceil()],
  clip: [x.clip(-1, 1)],
  cos: [x.cos()],
  cosh: [x.cosh()],
  cot: [x.cot()],
  degrees: [x.degrees()],
  exp: [x.clip(-5, 5).exp()],
  fillNan: [x.fillNan(pl.lit(0))],
  fillNull: [
    x.fillNull(pl.lit(1)),
    x.fillNull("zero"),
    x.fillNull("forward").over(KEY),
    x.fillNull("forward", 2).over(KEY),
    s.fillNull("forward", 1).over(KEY),
  ],
  floor: [x.floor()],
  isFinite: [x.isFinite()],
  isInfinite: [x.isInfinite()],
  isIn: [s.isIn(["alpha", "42"])],
  isNan: [x.isNan()],
  isNotNan: [x.isNotNan()],
  isNotNull: [x.isNotNull()],
  isNull: [x.isNull()],
  keepName: [x.alias("z").keepName()],
  log1p: [x.abs().log1p()],
  log: [x.abs().log(2)],
  not: [b.not()],
  and: [b.and(x.gt(0))],
  or: [b.or(x.gt(0))],
  pow: [x.pow(2)],
  prefix: [x.prefix("p_")],
  suffix: [x.suffix("_q")],
  radians: [x.radians()],
  reinterpret: [i.cast(pl.UInt64).reinterpret(true)],
  repeatBy: [s.repeatBy(pl.lit(2))],
  replace: [pl.col("j").replace([1, 2], [10, 20])],
  replaceStrict: [b.replaceStrict([true, false] as never, ["yes", "no"], "none", pl.Utf8)],
  round: [x.round(1)],
  sin: [x.sin()],
  sinh: [x.clip(-5, 5).sinh()],
  tan: [x.tan()],
  tanh: [x.tanh()],
  toPhysical: [d.toPhysical()],
  cast: [x.cast(pl.Int64), i.cast(pl.Utf8), d.cast(pl.Int64)],
  add: [x.add(y)],
  sub: [x.sub(1)],
  div: [x.div(y)],
  mul: [x.mul(2)],
  rem: [i.rem(7)],
  plus: [x.plus("y")],
  minus: [x.minus(y)],
  divideBy: [x.divideBy(2)],
  multiplyBy: [x.multiplyBy(y)],
  modulo: [i.modulo(7)],
  eq: [s.eq(pl.lit("alpha"))],
  equals: [x.equals(y)],
  gtEq: [x.gtEq(0)],
  greaterThanEquals: [x.greaterThanEquals(0)],
  gt: [x.gt(0)],
  greaterThan: [x.greaterThan(y)],
  ltEq: [x.ltEq(0)],
  lessThanEquals: [x.lessThanEquals(0)],
  lt: [x.lt(0)],
  lessThan: [x.lessThan(y)],
  neq: [x.neq(0)],
  notEquals: [x.notEquals(y)],

  shift: [x.shift(1).over(KEY), s.shift(3).over(KEY), b.shift(2).over(KEY), d.shift(1).over(KEY), x.shift(0).over(KEY)],
  shiftAndFill: [x.shiftAndFill(2, 7).over(KEY)],
  diff: [
    x.diff(1, "ignore").over(KEY),
    i.diff(2, "ignore").over(KEY),
    d.diff(1, "ignore").over(KEY),
    x.diff(5, "ignore").over(KEY),
  ],
  pctChange: [x.pctChange(1).over(KEY), y.pctChange(3).over(KEY)],
  rollingMax: [x.rollingMax(3).over(KEY), i.rollingMax({ windowSize: 4, minPeriods: 1 }).over(KEY)],
  rollingMean: [x.rollingMean(3).over(KEY), x.rollingMean({ windowSize: 5, minPeriods: 2 }).over(KEY)],
  rollingMin: [x.rollingMin(2).over(KEY)],
  rollingSum: [x.rollingSum(4).over(KEY), i.rollingSum({ windowSize: 3, minPeriods: 1 }).over(KEY)],
  rollingStd: [x.rollingStd(4).over(KEY)],
  rollingVar: [x.rollingVar(3).over(KEY)],
  rollingMedian: [x.rollingMedian(3).over(KEY)],
  rollingQuantile: [x.rollingQuantile(0.25, "linear", 4).over(KEY)],
  rollingSkew: [y.fillNull(pl.lit(0)).rollingSkew(5).over(KEY)],
  cumSum: [
    x.cumSum().over(KEY),
    i.cumSum().over(KEY),
    pl.col("j").cumSum().over(KEY),
    b.cumSum().over(KEY),
    pl.col("j").cast(pl.Int8).cumSum().over(KEY),
  ],
  cumCount: [x.cumCount().over(KEY), s.cumCount().over(KEY)],
  cumMax: [x.cumMax().over(KEY), i.cumMax().over(KEY), d.cumMax().over(KEY)],
  cumMin: [x.cumMin().over(KEY), i.cumMin().over(KEY)],
  cumProd: [x.clip(-2, 2).cumProd().over(KEY), pl.col("j").clip(-1, 1).cast(pl.Int8).cumProd().over(KEY)],
  forwardFill: [x.forwardFill().over(KEY), s.forwardFill().over(KEY)],
  ewmMean: [
    x.clip(-9, 9).ewmMean(0.3).over(KEY),
    pl.col("j").ewmMean({ alpha: 0.5, adjust: true, minPeriods: 2, bias: false, ignoreNulls: false }).over(KEY),
  ],
  over: [
    x.abs().over(KEY),
    x.diff(1, "ignore").cumSum().over(KEY),
    x.minus(x.shift(1)).over(KEY),
    x.shift(1).over("device", "b"),
  ],

  "str.contains": [s.str.contains("a"), s.str.contains(/^[aB]/)],
  "str.decode": [s.str.encode("hex").str.decode("hex").cast(pl.Utf8)],
  "str.encode": [s.str.encode("hex"), s.str.encode("base64")],
  "str.endsWith": [s.str.endsWith("a")],
  "str.extract": [s.str.extract("(\\d)", 1)],
  "str.jsonDecode": [
    pl
      .lit('{"k":1}')
      .cast(pl.Utf8)
      .str.jsonDecode(pl.Struct({ k: pl.Int64 }))
      .struct.field("k")
      .plus(i),
  ],
  "str.jsonPathMatch": [],
  "str.lengths": [s.str.lengths()],
  "str.lstrip": [s.str.lstrip()],
  "str.replace": [s.str.replace("a", "A")],
  "str.replaceAll": [s.str.replaceAll(/[ab]/, "_")],
  "str.rstrip": [s.str.rstrip()],
  "str.padStart": [s.str.padStart(6, "*")],
  "str.zFill": [s.str.zFill(6)],
  "str.padEnd": [s.str.padEnd(6, "*")],
  "str.slice": [s.str.slice(1, 2)],
  "str.split": [s.str.split("-")],
  "str.startsWith": [s.str.startsWith("B")],
  "str.strip": [s.str.strip()],
  "str.stripChars": [s.str.stripChars("a")],
  "str.stripCharsEnd": [s.str.stripCharsEnd("a")],
  "str.stripCharsStart": [s.str.stripCharsStart("a")],
  "str.strptime": [s.str.strptime(pl.Date, "%Y")],
  "str.toLowerCase": [s.str.toLowerCase()],
  "str.toUpperCase": [s.str.toUpperCase()],

  "dt.day": [d.dt.day()],
  "dt.hour": [d.dt.hour()],
  "dt.minute": [d.dt.minute()],
  "dt.month": [d.dt.month()],
  "dt.nanosecond": [d.dt.nanosecond()],
  "dt.ordinalDay": [d.dt.ordinalDay()],
  "dt.second": [d.dt.second()],
  "dt.strftime": [d.dt.strftime("%Y-%m-%d")],
  "dt.timestamp": [d.dt.timestamp()],
  "dt.week": [d.dt.week()],
  "dt.weekday": [d.dt.weekday()],
  "dt.year": [d.dt.year()],
  "dt.truncate": [d.dt.truncate("1h")],
  "dt.round": [d.dt.round("1h")],
  "dt.replaceTimeZone": [d.dt.replaceTimeZone("UTC")],
  "dt.convertTimeZone": [d.dt.replaceTimeZone("UTC").dt.convertTimeZone("Europe/Berlin").dt.hour()],

  "list.argMax": [list.list.argMax()],
  "list.argMin": [list.list.argMin()],
  "list.concat": [list.list.concat(["x"])],
  "list.contains": [list.list.contains(pl.lit(1))],
  "list.diff": [list.list.diff(1)],
  "list.get": [list.list.get(0)],
  "list.head": [list.list.head(1)],
  "list.tail": [list.list.tail(1)],
  "list.eval": [list.list.eval(pl.element().rank())],
  "list.first": [list.list.first()],
  "list.join": [pl.concatList([s, s]).list.join("-")],
  "list.last": [list.list.last()],
  "list.lengths": [list.list.lengths()],
  "list.max": [list.list.max()],
  "list.mean": [list.list.mean()],
  "list.min": [list.list.min()],
  "list.reverse": [],
  "list.shift": [list.list.shift(1)],
  "list.slice": [list.list.slice(0, 1)],
  "list.sort": [list.list.sort()],
  "list.sum": [list.list.sum()],
  "list.unique": [],

  "struct.field": [struct.struct.field("s")],
  "struct.nth": [struct.struct.nth(0)],
  "struct.renameFields": [struct.struct.renameFields(["p", "q"]).struct.field("q")],
  "struct.withFields": [struct.struct.withFields([pl.col("i").alias("n")]).struct.field("n")],
  "struct.jsonEncode": [struct.struct.jsonEncode()],
};

/** nodejs-polars 0.26.1 throws for these, whatever they are given. */
const BROKEN_IN_POLARS = new Set(["str.jsonPathMatch", "list.reverse", "list.unique"]);

const phones = topic("phones", { key: "device", time: "t" });

const numbered = (methods: readonly string[]): polars.Expr[] =>
  methods.flatMap((method) => PROGRAMS[method]!.map((expr, n) => expr.alias(`${method} ${n}`)));
const keepsState = (expr: polars.Expr): boolean => splitStages([treeOf(expr)]).stages.length > 0;
const all = numbered(Object.keys(PROGRAMS));

const GROUPS = { "row by row": all.filter((expr) => !keepsState(expr)), "with state per key": all.filter(keepsState) };

for (const [group, programs] of Object.entries(GROUPS))
  test(`every method ${group} equals static Polars, however the rows are split (seed ${seed})`, async () => {
    const program = phones.withColumns(...programs);
    await fc.assert(
      fc.asyncProperty(rows(50), splits, fc.boolean(), async (list, sizes, reopen) => {
        const frame = frameOf(list);
        const expected = frame.withColumns(...programs);
        const actual = await run(program, frame, { splits: sizes, reopen });
        assertFramesEqual(values(actual.rows), expected, group);
      }),
      { seed, numRuns: runs(4) },
    );
  });

test("every method that is not refused has a program here", () => {
  const outsideAggregates = Object.entries(METHOD_MEANINGS).filter(([name, entry]) => {
    const meaning = typeof entry === "function" ? undefined : entry;
    return meaning === undefined || ["row-wise", "look-back", "accumulating", "per key"].includes(meaning.is)
      ? name
      : false;
  });
  const empty = Object.entries(PROGRAMS).filter(
    ([name, programs]) => programs.length === 0 && !BROKEN_IN_POLARS.has(name),
  );
  assert.deepEqual(empty, []);
  assert.deepEqual(
    outsideAggregates.map(([name]) => name).filter((name) => !(name in PROGRAMS)),
    [],
  );
});
