import type polars from "nodejs-polars";
import { pl } from "../../../lib/plan/pl.ts";
import type { Dice } from "./dice.ts";
import { Expressions } from "./expressions.ts";
import { COLUMNS } from "./row-programs.ts";

const rowWise = new Expressions(COLUMNS);

/** An aggregate of expressions, with filters and orders inside, and expressions of it. */
export function aggregate(dice: Dice): polars.Expr {
  const number = () => rowWise.of("number", dice, dice.int(0, 2)).cast(pl.Float64).clip(-1e6, 1e6);
  const any = () => rowWise.any(dice, dice.int(0, 2));
  const flag = () => rowWise.of("flag", dice, 1);
  const narrowed = (expr: polars.Expr) =>
    dice.pick([
      () => expr,
      () => expr,
      () => expr.filter(flag()),
      () => expr.dropNulls(),
      () => expr.sortBy(pl.col("n")),
      () => expr.sortBy(rowWise.leaf("number", dice)),
      () => expr.head(dice.int(1, 3)),
    ])();
  const single: (() => polars.Expr)[] = [
    () => narrowed(number()).sum(),
    () => narrowed(number()).mean(),
    () => narrowed(number()).min(),
    () => narrowed(any()).max(),
    () => narrowed(any()).min(),
    () => narrowed(number()).std(),
    () => narrowed(number()).var(),
    () => narrowed(number()).median(),
    () => narrowed(number()).quantile(dice.pick([0, 0.3, 1]), "nearest"),
    () => narrowed(any()).count(),
    () => narrowed(any()).first(),
    () => narrowed(any()).last(),
    () => narrowed(any()).nUnique(),
    () => any().nullCount(),
    () => flag().any(),
    () => flag().all(),
    () => flag().sum(),
    () => pl.col(dice.pick(["big", "i", "j", "u8", "literal"])).sum(),
    () => pl.col(dice.pick(["big", "i", "j", "u8", "literal"])).mean(),
    () =>
      pl
        .col(dice.pick(["big", "i", "x", "s"]))
        .filter(pl.col("j").eq(pl.col("j").max()))
        .first(),
    () =>
      pl
        .col(dice.pick(["big", "i", "x", "s"]))
        .filter(pl.col("y").eq(pl.col("y").min()))
        .last(),
    () => number().multiplyBy(number()).sum(),
    () => pl.len(),
    () => number().diff(1, "ignore").sum(),
    () => number().cumSum().last(),
    () => any().shift(1).last(),
  ];
  const one = () => dice.pick(single)();
  if (dice.chance(0.1)) return narrowed(any());
  if (dice.chance(0.15)) return number().sum().div(pl.len());
  if (dice.chance(0.1)) return pl.when(pl.len().gt(1)).then(number().max()).otherwise(number().min());
  return one();
}

/** Several, named. */
export function aggregates(dice: Dice): polars.Expr[] {
  return Array.from({ length: dice.int(1, 5) }, (_, i) => aggregate(dice).alias(`agg ${i}`));
}
