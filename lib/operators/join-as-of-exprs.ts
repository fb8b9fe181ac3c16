import pl from "nodejs-polars";
import { columns, perKey, renamed } from "./exprs.ts";
import { type AsOfPlan, waitOf } from "./join-as-of.ts";
import { CLOCK, clockOf, orderAt, positionAfter, positionOf, positionPast } from "./join-order.ts";

const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
const ms = (column: string): pl.Expr => pl.col(column).cast(pl.Int64);
const NEVER = -(2 ** 53);

/** The expressions of an as-of join, built once. While it works, the keys are `§key_0`, …, and the right columns `§value_0`, …. */
export function asOfExprs(plan: AsOfPlan) {
  const { leftDelay, rightDelay, forward, tolerance, history, tombstones } = plan;
  const keys = plan.storedKeys.map((_, i) => `§key_${i}`);
  const values = plan.values.map((_, i) => `§value_${i}`);
  const waits = waitOf(plan) !== undefined;
  // nearness goes one way: a forward join is a backward one with time turned round
  const near = forward ? int(0).minus(pl.col("§at")) : pl.col("§at");
  const sequence = !waits && leftDelay === undefined && rightDelay === undefined;
  const deleted = (tombstones ? pl.col("_delete").fillNull(pl.lit(false)) : pl.lit(false)).alias("§deleted");
  const rightOrder = (sequence ? pl.col("_sequence") : positionOf(rightDelay)).alias("§order");
  const stored = [...plan.storedKeys, "at", ...plan.values.map((value) => value.stored)];
  const named = [...keys, "§at", ...values];
  const flag = tombstones ? ["deleted"] : [];
  const until = forward ? [] : ["until"];
  const next = perKey(pl.col("§at").shift(-1), keys);
  const hasKeys = keys.map((key) => pl.col(key).isNotNull()).reduce((all, one) => all.and(one));
  const age = pl.col("§clock").minus(pl.col("§at"));
  const isMatch = pl
    .col("§rank")
    .isNotNull()
    .and(pl.col("§deleted").not())
    .and(age.ltEq(int(history)))
    .and(tolerance === undefined ? pl.lit(true) : pl.col("§found_at").minus(pl.col("§at")).abs().ltEq(int(tolerance)))
    .fillNull(pl.lit(false));
  const last = [...values, "§until", "§deleted"].map((name) => pl.col(name)[forward ? "first" : "last"]());
  return {
    keyNames: keys,
    nothing: pl.len().alias("§len"),
    hasKeys,
    inTime: age.ltEq(int(history)),
    // left rows
    left: [
      ...renamed(plan.leftKeys, keys),
      ms(plan.leftTime).alias("§at"),
      (forward ? int(0).minus(ms(plan.leftTime)) : ms(plan.leftTime)).alias("§t"),
      (waits ? pl.col("§release") : sequence ? pl.col("_sequence") : positionOf(leftDelay)).alias("§order"),
      pl.intRange(pl.len()).alias("§row"),
      CLOCK.alias("§clock"),
    ],
    asked: columns(["§row", "§at", "§clock"]),
    asks: columns([...keys, "§at"]),
    // left rows that wait
    release: (first: number) => [
      pl.intRange(pl.len()).plus(int(first)).alias("§row"),
      released(plan).alias("§release"),
    ],
    toWaiting: renamed(
      ["§row", "§release", ...(plan.waiting?.columns ?? []).map(({ from }) => from)],
      ["row", "release", ...(plan.waiting?.columns ?? []).map(({ to }) => to)],
    ),
    fromWaiting: [
      ...(plan.waiting?.columns ?? []).map(({ from, to }) => pl.col(to).alias(from)),
      orderAt(pl.col("release")),
      pl.col("release").alias("§release"),
    ],
    byRelease: columns(["release", "row"]),
    due: (bound: number) => pl.col("release").ltEq(pl.lit(bound)),
    // right rows
    right: [
      ...renamed(plan.rightKeys, keys),
      ms(plan.rightTime).alias("§at"),
      ...renamed(
        plan.values.map(({ from }) => from),
        values,
      ),
      rightOrder,
      deleted,
      pl.lit(null).cast(pl.Int64).alias("§until"),
    ],
    storedKeys: renamed(keys, plan.storedKeys),
    fromState: [
      ...renamed(stored, named),
      int(NEVER).alias("§order"),
      (tombstones ? pl.col("deleted") : pl.lit(false)).alias("§deleted"),
      (forward ? pl.lit(null).cast(pl.Int64) : pl.col("until")).alias("§until"),
    ],
    candidate: [...columns([...keys, "§at", "§order", "§deleted", ...values]), near.alias("§t")],
    // of equal times the one read last is nearest, in a forward join the one read first; rows that wait have places in common, and sorting keeps no order
    read: pl.intRange(pl.len()).cast(pl.Int64).alias("§read"),
    byNearness: [
      pl.col("§t"),
      ...["§order", "§read"].map((name) => (forward ? int(0).minus(pl.col(name)) : pl.col(name))),
    ],
    rank: pl.intRange(pl.len()).alias("§rank"),
    foundRank: pl.col("§rank"),
    given: [...columns(["§rank", "§deleted", ...values]), pl.col("§at").alias("§found_at")],
    byRank: { on: "§rank", how: "left" } as const,
    results: [
      isMatch.alias("§matches"),
      ...plan.values.map(({ to }, i) => pl.when(isMatch).then(pl.col(values[i]!)).otherwise(pl.lit(null)).alias(to)),
    ],
    isMatch: pl.col("§matches"),
    // keeping right rows
    version: columns([...keys, "§at", "§order", "§deleted", "§until", ...values]),
    identity: [...keys, "§at"],
    ofEqualTimes: [
      ...last,
      pl.col("§order").max().gt(int(NEVER)).alias("§new"),
      pl.col("§order").min().alias("§first"),
    ],
    isNew: pl.col("§first").gt(int(NEVER)),
    // a tombstone stays as any newest row does: without it an older row that comes late is the newest again
    until: next.alias("§next"),
    isChanged: (bound: number) => {
      const needed = pl
        .col("§next")
        .isNull()
        .or(pl.col("§next").gt(pl.lit(bound)));
      const held = pl.col("§first").eq(int(NEVER));
      const same = pl
        .col("§next")
        .fillNull(int(NEVER))
        .eq(pl.col("§until").fillNull(int(NEVER)));
      return held.and(same.not().or(pl.col("§new"))).or(held.not().and(needed));
    },
    toState: renamed(
      [...named, ...until.map(() => "§next"), ...flag.map(() => "§deleted")],
      [...stored, ...until, ...flag],
    ),
  };
}

/** When a left row is released: once all right rows that it may want have come, and not before it is read itself. */
function released(plan: AsOfPlan): pl.Expr {
  const { forward, tolerance, grace = 0, leftDelay, rightDelay } = plan;
  const wanted = ms(plan.leftTime).plus(int((forward ? tolerance! : 0) + grace));
  return pl.maxHorizontal([positionPast(wanted, rightDelay), positionAfter(clockOf(leftDelay), rightDelay)]);
}
