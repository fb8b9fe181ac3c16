import pl from "nodejs-polars";
import { columns } from "./exprs.ts";

const BY_ORDER = { leftOn: "§order", rightOn: "§order", strategy: "backward", checkSortedness: false } as const;

/**
 * For each left row the right row of its key with the largest `§t` that is at most its own, among those that come before it in `§order` (or with it).
 * Right rows are told by `§rank`, which grows with `§t`; of equal times the largest rank is taken. Null keys do not match.
 *
 * Polars' as-of join knows one order only. It is right for every right row but those that come after a left row whose time they do not exceed: late ones.
 * Of these a left row may see a prefix, in order of reading; the prefix is put together of blocks of 1, 2, 4, … rows, one as-of join for each size.
 * @param left the keys, and `§row`, `§t`, `§order`, all Int64
 * @param right the keys, and `§rank`, `§t`, `§order`, all Int64
 * @returns `§row`, `§rank` (null where none is), by `§row`
 */
export function nearestBefore(left: pl.DataFrame, right: pl.DataFrame, keys: readonly string[]): pl.DataFrame {
  const sorted = left.select(...LEFT, ...columns(keys)).sort("§t");
  const candidates = right.select(...RIGHT, ...columns(keys));
  const late = lateRows(left, candidates);
  const regular =
    late.height === 0 ? candidates : (candidates.join(late, { on: "§rank", how: "anti" }) as pl.DataFrame);
  let found = asOf(sorted, regular.sort("§rank"), keys).select(...FOUND);
  if (late.height > 0) {
    const counted = sorted
      .sort("§order")
      .joinAsof(
        late.select(pl.col("§order"), pl.col("§index").plus(pl.lit(1)).cast(pl.Int64).alias("§seen")),
        BY_ORDER,
      );
    for (let size = 1; size <= late.height; size *= 2) {
      const blocks = times(pl.col("§seen"), size);
      const block = blocks.minus(int(1)).alias("§block");
      const asking = counted.filter(blocks.modulo(int(2)).eq(int(1))).withColumns(block);
      if (asking.height === 0) continue;
      const offered = late.withColumns(times(pl.col("§index"), size).alias("§block"));
      const more = asOf(asking.sort("§t"), offered.sort("§rank"), [...keys, "§block"]).select(...FOUND);
      found = pl.concat([found, more]);
    }
    found = found.groupBy("§row").agg(pl.col("§rank").max());
  }
  return found.sort("§row");
}

const LEFT = columns(["§row", "§t", "§order"]);
const RIGHT = columns(["§rank", "§t", "§order"]);
const FOUND = columns(["§row", "§rank"]);
const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);

/** How many times a whole number contains another. */
function times(number: pl.Expr, size: number): pl.Expr {
  return number
    .minus(number.modulo(int(size)))
    .div(int(size))
    .cast(pl.Int64);
}

function asOf(left: pl.DataFrame, right: pl.DataFrame, keys: readonly string[]): pl.DataFrame {
  return left.joinAsof(right, { on: "§t", by: [...keys], strategy: "backward", checkSortedness: false });
}

/** Right rows that come after a left row whose time is not before theirs, numbered by `§index` in order of reading. */
function lateRows(left: pl.DataFrame, right: pl.DataFrame): pl.DataFrame {
  const furthest = left
    .select(pl.col("§order"), pl.col("§t").alias("§furthest"))
    .sort("§order")
    .withColumns(pl.col("§furthest").cumMax());
  return right
    .sort("§order")
    .joinAsof(furthest, { ...BY_ORDER, allowExactMatches: false })
    .filter(pl.col("§t").ltEq(pl.col("§furthest")))
    .drop("§furthest")
    .withColumns(pl.col("§rank").cumCount().cast(pl.Int64).minus(int(1)).alias("§index"));
}
