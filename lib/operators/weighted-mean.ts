import pl from "nodejs-polars";
import { ewmOptions } from "../plan/analysis/method-meanings.ts";
import type { CallTree } from "../plan/tree.ts";

/** An exponentially weighted mean as sums that go on from batch to batch. */
export interface WeightedMean {
  /** Per sum: its name, the value a row adds, and the sum over the values of a key, whose first may be the sum so far. */
  readonly sums: readonly {
    readonly name: string;
    readonly value: pl.Expr;
    readonly over: (values: pl.Expr) => pl.Expr;
  }[];
  /** The mean, of the three sums; null where the row holds no value. */
  result(weighted: pl.Expr, weights: pl.Expr, count: pl.Expr, present: pl.Expr): pl.Expr;
}

const NULL = pl.lit(null as unknown as number).cast(pl.Float64);

/**
 * `ewmMean` with adjustment: the sum of values over that of their weights, where what came before counts 1 - alpha as much at every row (with
 * `ignoreNulls` at every value).
 */
export function weightedMean(tree: CallTree, argument: pl.Expr): WeightedMean {
  const { alpha, ignoreNulls, minPeriods } = ewmOptions(tree) as { alpha: number } & ReturnType<typeof ewmOptions>;
  const value = argument.cast(pl.Float64);
  const one = argument.isNotNull().cast(pl.Float64);
  const present = pl.when(argument.isNotNull());
  const decaying = (values: pl.Expr): pl.Expr => {
    // Polars' own recursion is y = (1 - alpha) y + alpha x, but starts with x: the first value is weighed like the others
    const first = values.cumCount().eq(pl.lit(1)).and(values.isNotNull());
    const weighed = pl
      .when(first)
      .then(values.multiplyBy(pl.lit(alpha)))
      .otherwise(values);
    return weighed.ewmMean(alpha, false, 1, false, true).div(pl.lit(alpha)).forwardFill();
  };
  return {
    sums: [
      { name: "values", value: ignoreNulls ? value : value.fillNull(pl.lit(0)), over: decaying },
      { name: "weights", value: ignoreNulls ? present.then(one).otherwise(NULL) : one, over: decaying },
      { name: "count", value: one, over: (values) => values.cumSum() },
    ],
    result: (weighted, weights, count, held) =>
      pl
        .when(held.and(count.gtEq(pl.lit(minPeriods))))
        .then(weighted.div(weights))
        .otherwise(NULL),
  };
}
