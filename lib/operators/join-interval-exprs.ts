import pl from "nodejs-polars";
import { dtypeOf } from "../schema.ts";
import { columns, renamed } from "./exprs.ts";
import type { IntervalPlan, IntervalSide } from "./join-interval.ts";
import { CLOCK, orderAt, positionOf, positionPast } from "./join-order.ts";

const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
const none = (dtype: pl.DataType): pl.Expr => pl.lit(null).cast(dtype);
const time = pl.col("_time").cast(pl.Int64);

export type SideExprs = ReturnType<typeof sideExprs>;

/** The expressions of one side. While the join works, its columns are `§left_…`: `row`, `at`, `place` (of reading), `past`, and those kept. */
function sideExprs(side: IntervalSide, name: "left" | "right", plan: IntervalPlan) {
  const own = (column: string): string => `§${name}_${column}`;
  const other = name === "left" ? plan.right : plan.left;
  const keys = plan.storedKeys.map((_, i) => `§key_${i}`);
  const kept = side.columns.map((_, i) => own(`value_${i}`));
  const past = positionPast(time.plus(int(side.after + plan.grace)), other.delay);
  const names = [
    ...keys,
    ...["row", "at", "past", "matched"].map(own),
    ...kept,
    ...["place", "sequence", "watermark", "late"].map(own),
  ];
  const stored = [...plan.storedKeys, "row", "at", "past", "matched", ...side.columns.map((column) => column.stored)];
  const inState = names.slice(0, stored.length);
  return {
    other: `§${name === "left" ? "right" : "left"}`,
    names: columns(names),
    columns: columns(names),
    rowName: own("row"),
    row: (first: number) => pl.intRange(pl.len()).plus(int(first)).alias(own("row")),
    prepare: [
      ...renamed(side.keys, keys),
      int(0).alias(own("row")),
      time.alias(own("at")),
      past.alias(own("past")),
      pl.lit(false).alias(own("matched")),
      ...renamed(
        side.columns.map(({ from }) => from),
        kept,
      ),
      positionOf(side.delay).alias(own("place")),
      pl.col("_sequence").fillNull(int(-1)).alias(own("sequence")),
      pl.col("_watermark").alias(own("watermark")),
      CLOCK.minus(time).gt(int(plan.grace)).alias(own("late")),
    ],
    fromState: [
      ...renamed(stored, inState),
      none(pl.Int64).alias(own("place")),
      none(pl.Int64).alias(own("sequence")),
      none(pl.Int64).alias(own("watermark")),
      pl.lit(false).alias(own("late")),
    ],
    toState: renamed(inState, stored),
    unmatched: pl.col(own("matched")).not(),
    matched: pl.lit(true).alias(own("matched")),
    late: pl.col(own("late")),
    open: (bound: number) => pl.col(own("past")).gt(pl.lit(bound)),
  };
}

/** The expressions of an interval join, built once. */
export function intervalExprs(plan: IntervalPlan) {
  const { how, left, right, storedKeys } = plan;
  const keys = storedKeys.map((_, i) => `§key_${i}`);
  const l = (name: string): pl.Expr => pl.col(`§left_${name}`);
  const r = (name: string): pl.Expr => pl.col(`§right_${name}`);
  // a row matches others of this many milliseconds, which lie in two buckets of that width
  const width = Math.max(1, left.before + left.after);
  const bucket = (at: pl.Expr): pl.Expr => at.minus(into(at, width)).div(int(width)).cast(pl.Int64);
  const first = bucket(l("at").minus(int(left.before)));
  // the later of two is the one read later: a row of the state has no place any more
  const rightLater = l("place")
    .isNull()
    .or(r("place").gt(l("place")))
    .or(
      r("place")
        .eq(l("place"))
        .and(r("sequence").gtEq(l("sequence"))),
    )
    .and(r("place").isNotNull());
  const which = (name: string): pl.Expr => pl.when(pl.col("§right_later")).then(r(name)).otherwise(l(name));
  const column = (side: "left" | "right", from: string): pl.Expr => {
    const index = plan[side].columns.findIndex((one) => one.from === from);
    return pl.col(`§${side}_value_${index}`);
  };
  const both = (from: string): pl.Expr => column("left", from).fillNull(column("right", from));
  const given = plan.values;
  const travelling = (of: (from: string) => pl.Expr, at: pl.Expr, watermark: pl.Expr, sequence: pl.Expr) => [
    ...plan.metadata.map((name) => (name === "_time" ? at.cast(pl.Datetime("ms")) : of(name)).alias(name)),
    watermark.alias("_watermark"),
    sequence.alias("_sequence"),
  ];
  const order = ["§at", "§sequence", "§side", "§first", "§second"];
  // a pair came with the later of the two; a left row that only had to have a partner waited for it
  const watermark = pl.col("§watermark").fillNull(pl.col("§later_at").minus(int(1)));
  const waited = pl
    .when(l("past").gt(pl.col("§at")))
    .then(none(pl.Int64))
    .otherwise(watermark);
  const pair = [
    ...given.map(({ side, from, to }) => column(side, from).alias(to)),
    ...travelling(
      both,
      how === "semi" ? l("at") : pl.maxHorizontal([l("at"), r("at")]),
      how === "semi" ? waited : watermark,
      pl.col("§sequence"),
    ),
    ...columns(order),
  ];
  const unmatched = (["left", "right"] as const).map((name) => {
    const own = (column: string): pl.Expr => pl.col(`§${name}_${column}`);
    const early = own("place")
      .isNull()
      .or(own("past").gt(own("place")));
    const values = given.map(({ side, from, to, dtype }) => {
      const coalesced = plan.coalesced.find((one) => one.to === to);
      if (coalesced !== undefined) return column(name, name === "left" ? coalesced.left : coalesced.right).alias(to);
      return (side === name ? column(name, from) : none(dtypeOf(dtype))).alias(to);
    });
    return [
      ...values,
      ...travelling(
        (from) => column(name, from),
        own("at"),
        pl.when(early).then(none(pl.Int64)).otherwise(own("watermark")),
        pl.when(early).then(none(pl.Int64)).otherwise(own("sequence")),
      ),
      pl.when(early).then(own("past")).otherwise(own("place")).alias("§at"),
      pl.when(early).then(int(0)).otherwise(own("sequence")).alias("§sequence"),
      int(name === "left" ? 0 : 1).alias("§side"),
      own("row").alias("§first"),
      int(0).alias("§second"),
    ];
  });
  return {
    keyNames: keys,
    nothing: pl.len().alias("§len"),
    toStoredKeys: renamed(keys, storedKeys),
    left: sideExprs(left, "left", plan),
    right: sideExprs(right, "right", plan),
    buckets: [first, first.plus(int(1))].map((one) => one.alias("§bucket")),
    rightBucket: bucket(r("at")).alias("§bucket"),
    byKeys: { on: [...keys, "§bucket"], how: "inner" } as const,
    near: r("at")
      .gtEq(l("at").minus(int(left.before)))
      .and(r("at").ltEq(l("at").plus(int(left.after)))),
    rightLater: rightLater.alias("§right_later"),
    later: [
      which("place").alias("§at"),
      which("sequence").alias("§sequence"),
      which("watermark").alias("§watermark"),
      which("at").alias("§later_at"),
      which("row").alias("§first"),
      pl.when(pl.col("§right_later")).then(l("row")).otherwise(r("row")).alias("§second"),
      pl.when(pl.col("§right_later")).then(int(1)).otherwise(int(0)).alias("§side"),
    ],
    inTime: pl
      .when(pl.col("§right_later"))
      .then(r("place").ltEq(l("past")))
      .otherwise(l("place").ltEq(r("past"))),
    givesPairs: how !== "semi" && how !== "anti",
    givesUnmatched: [left.keepUnmatched, right.keepUnmatched],
    pair,
    unmatched,
    order: columns(order),
    output: [
      ...columns([...given.map(({ to }) => to), ...plan.metadata, "_watermark", "_sequence"]),
      orderAt(pl.col("§at")),
    ],
  };
}

/** The remainder, of negative numbers too. */
function into(at: pl.Expr, width: number): pl.Expr {
  return at.modulo(int(width)).plus(int(width)).modulo(int(width));
}
