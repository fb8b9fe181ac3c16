import pl from "nodejs-polars";
import { Refusal } from "../error.ts";
import type { LateNode } from "../plan/nodes/late-node.ts";
import type { Compiled } from "./compile.ts";
import { checkTime } from "./window-plan.ts";

const MISSED = "missed_windows";

/**
 * The rows that at least one window did not take because it had closed just before them. Needs no state: `_watermark` says what had closed.
 * @throws Refusal `NOT_EVENT_TIME`, `DUPLICATE_COLUMN`
 */
export function compileLate(
  node: LateNode,
  input: Compiled,
): Pick<Compiled, "steps" | "schema" | "lineage" | "used"> & { watermark: true } {
  checkTime(node, input, "late");
  if (Object.hasOwn(input.schema, MISSED))
    throw new Refusal({
      code: "DUPLICATE_COLUMN",
      what: `two columns would be named "${MISSED}"`,
      where: "late",
      remedies: [`rename it before the windows: .rename({ ${MISSED}: "${MISSED}_2" })`],
    });
  const { every, period, offset, grace, indexColumn } = node;
  const int = (value: number): pl.Expr => pl.lit(value).cast(pl.Int64);
  const time = pl.col("§time");
  const into = time.minus(int(offset)).modulo(int(every)).plus(int(every)).modulo(int(every));
  const newest = time.minus(into);
  const overlapping = Math.ceil(period / every);
  const starts = Array.from({ length: overlapping }, (_, i) => {
    const start = newest.minus(int((overlapping - 1 - i) * every));
    const end = start.plus(int(period));
    const missed = end.gt(time).and(end.plus(int(grace)).ltEq(pl.col("_watermark")));
    return pl.when(missed).then(start).otherwise(pl.lit(null).cast(pl.Int64));
  });
  const index = pl.col(indexColumn).cast(pl.Datetime("ms")).cast(pl.Int64).alias("§time");
  const missed = pl
    .concatList(starts)
    .list.eval(pl.element().dropNulls())
    .cast(pl.List(pl.Datetime("ms")) as never)
    .alias(MISSED);
  const any = pl.col(MISSED).list.lengths().gt(pl.lit(0));
  return {
    steps: [{ query: (rows) => rows.withColumns(index).withColumns(missed).filter(any).drop("§time") }],
    schema: { ...input.schema, [MISSED]: "List(Datetime(ms))" },
    lineage: input.lineage,
    watermark: true,
    used: (columns) => new Set([...[...columns].filter((name) => name !== MISSED), indexColumn]),
  };
}
